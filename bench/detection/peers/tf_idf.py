"""Judges texts with TF-IDF features and a scikit-learn classifier.

    tf_idf.py train (forest|logistic) TRAINING_ROWS MODEL
    tf_idf.py judge MODEL < rows > judgements

Rows: JSON lines {"text", "label", ...}. Judgements: JSON lines {"class", "score", "us"}; score is
1 - P(benign). Texts are decoded before the logistic regression sees them, as its better half is
known to need; the forest reads words and character pairs of the raw text, as tutorials do.
"""

import html
import json
import pickle
import sys
import time
import unicodedata
from urllib.parse import unquote_plus

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

CHARACTERS_MAX = 4_096
DECODINGS_MAX = 3
# What each tree sees at most: bounds the time that training takes.
FOREST_SAMPLES_MAX = 50_000
TIMED_ROWS_MAX = 200
BATCH_ROWS = 4_096


def decoded(text):
    for _ in range(DECODINGS_MAX):
        plain = html.unescape(unquote_plus(text))
        if plain == text:
            break
        text = plain
    return unicodedata.normalize("NFKC", text[:CHARACTERS_MAX]).lower()


def cut(text):
    return text[:CHARACTERS_MAX].lower()


def new_pipeline(name, row_count):
    if name == "forest":
        vectors = TfidfVectorizer(
            preprocessor=cut, analyzer="char", ngram_range=(1, 2), max_features=5_000
        )
        model = RandomForestClassifier(
            n_estimators=50,
            max_samples=min(FOREST_SAMPLES_MAX, row_count),
            n_jobs=2,
            random_state=1,
        )
    else:
        vectors = TfidfVectorizer(
            preprocessor=decoded,
            analyzer="char",
            ngram_range=(1, 4),
            max_features=60_000,
            sublinear_tf=True,
            dtype=np.float32,
        )
        model = LogisticRegression(C=20, max_iter=200, solver="saga", tol=1e-2, random_state=1)
    return make_pipeline(vectors, model)


def train(name, rows_file, model_file):
    with open(rows_file, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    pipeline = new_pipeline(name, len(rows))
    pipeline.fit([row["text"] for row in rows], [row["label"] for row in rows])
    pipeline[-1].n_jobs = None
    with open(model_file, "wb") as file:
        pickle.dump(pipeline, file)


def judge(model_file):
    with open(model_file, "rb") as file:
        pipeline = pickle.load(file)
    texts = [json.loads(line)["text"] for line in sys.stdin]
    times = [time_of(pipeline, text) for text in texts[:TIMED_ROWS_MAX]]
    classes = list(pipeline.classes_)
    benign = classes.index("benign")
    for start in range(0, len(texts), BATCH_ROWS):
        probabilities = pipeline.predict_proba(texts[start : start + BATCH_ROWS])
        for offset, row in enumerate(probabilities):
            index = start + offset
            judgement = {
                "class": classes[int(row.argmax())],
                "score": 1 - float(row[benign]),
                "us": times[index] if index < len(times) else None,
            }
            sys.stdout.write(json.dumps(judgement) + "\n")


def time_of(pipeline, text):
    """Microseconds of one text alone, as an online service sees it."""
    began = time.perf_counter()
    pipeline.predict_proba([text])
    return (time.perf_counter() - began) * 1e6


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    {"train": train, "judge": judge}[command](*arguments)
