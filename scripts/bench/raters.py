#!/usr/bin/env python3
"""How far FER-2013's labels can be read at all: from ten raters' votes, from models, from both.

In:  FER+ votes (Microsoft's fer2013new.csv), and the --csv of fer-eval on one split, one file a model.
Out: accuracy and negative log-likelihood of logistic regressions on votes, on the models' probabilities and on
     both, each face read by one that was fitted to the other nine tenths of the split (a diagnosis: nothing that
     is shipped is fitted here).
Needs: pip install scikit-learn numpy

    fer-eval --model models/small --data fer2013.csv --split validation --tta flip --csv small.csv
    scripts/bench/raters.py fer2013new.csv small.csv
"""

import csv
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

N_FOLDS = 10
SEED = 1
FIRST_VOTE_COLUMN = 2
FIRST_PROBABILITY_COLUMN = 3


def records(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))[1:]


def probabilities(path):
    """Rows of the data counted from 1, FER-2013's labels, and log-probabilities [n, 7]."""
    judged_faces = records(path)
    rows = [int(record[0].removeprefix("row ")) for record in judged_faces]
    values = np.array([record[FIRST_PROBABILITY_COLUMN:] for record in judged_faces], dtype=float)
    return rows, np.array([record[1] for record in judged_faces]), np.log(values.clip(1e-4))


def votes(path, rows):
    """Votes for the rows, as shares, their roots and logarithms of counts: the regression picks the form that fits."""
    faces = records(path)
    counts = np.array([faces[row - 1][FIRST_VOTE_COLUMN:] for row in rows], dtype=float)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.hstack([shares, np.sqrt(shares), np.log(counts + 0.5)])


def judged(name, features, labels):
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED)
    read = cross_val_predict(regression, features, labels, cv=folds, method="predict_proba")
    classes = np.unique(labels)
    accuracy = accuracy_score(labels, classes[read.argmax(axis=1)])
    print(f"| {name} | {100 * accuracy:.2f} % | {log_loss(labels, read, labels=classes):.3f} |")


def main():
    ferplus, *tables = sys.argv[1:]
    if not tables:
        sys.exit("usage: raters.py fer2013new.csv MODEL.csv [MODEL.csv …]")
    read = [probabilities(path) for path in tables]
    rows, labels, _ = read[0]
    if any(other[0] != rows for other in read):
        sys.exit("the tables judge different faces: give those of one split")
    models = np.hstack([own[2] for own in read])
    raters = votes(ferplus, rows)
    print(f"{len(rows)} faces\n\n| read from | accuracy | negative log-likelihood |\n|---|---|---|")
    judged("votes", raters, labels)
    judged("models", models, labels)
    judged("votes and models", np.hstack([raters, models]), labels)


if __name__ == "__main__":
    main()
