"""The stack that people would have otherwise: FastAPI, TF-IDF + random forest, a dict as cache.

    app.py train ROWS MODEL     ROWS: JSON lines {"text", "label"}
    app.py serve MODEL PORT
"""

import json
import pickle
import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline


class PredictRequest(BaseModel):
    payload: str


def train(rows_file, model_file):
    with open(rows_file, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    # Payloads are told apart by characters, not by words; all else is as scikit-learn has it.
    pipeline = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3)),
        RandomForestClassifier(random_state=1),
    )
    pipeline.fit([row["text"] for row in rows], [row["label"] for row in rows])
    with open(model_file, "wb") as file:
        pickle.dump(pipeline, file)


def create_app(model_file):
    with open(model_file, "rb") as file:
        pipeline = pickle.load(file)
    classes = [str(name) for name in pipeline.classes_]
    cache = {}
    app = FastAPI()

    def judge(text):
        row = pipeline.predict_proba([text])[0]
        best = int(row.argmax())
        return {
            "class": classes[best],
            "confidence": float(row[best]),
            "probabilities": dict(zip(classes, map(float, row))),
        }

    @app.post("/api/v1/sentinel/predict-payload")
    async def predict_payload(request: PredictRequest):
        known = cache.get(request.payload)
        if known is not None:
            return {**known, "cached": True}
        cache[request.payload] = judgement = judge(request.payload)
        return {**judgement, "cached": False}

    return app


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    if verb == "train":
        train(*arguments)
    else:
        uvicorn.run(
            create_app(arguments[0]), port=int(arguments[1]), log_level="warning", access_log=False
        )
