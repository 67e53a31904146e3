"""The stack that people would have otherwise: FastAPI, TF-IDF + random forest, a dict as cache.

    app.py train ROWS MODEL     ROWS: JSON lines {"text", "label"}
    app.py serve MODEL PORT
"""

import pickle
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

# The same pipeline that bench/detection measures.
sys.path.insert(0, str(Path(__file__).parents[2] / "detection" / "peers"))
import tf_idf  # noqa: E402


class PredictRequest(BaseModel):
    payload: str


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
        tf_idf.train("forest", *arguments)
    else:
        uvicorn.run(
            create_app(arguments[0]), port=int(arguments[1]), log_level="warning", access_log=False
        )
