#!/usr/bin/env python3
"""Which loss a temperature should be fitted by: the NLL of all labels, or of the named label being right.

In:  the --csv of fer-eval on one split, one file a way of reading.
Out: ECE (15 bins) in per cent, by each loss fitted to the faces it is judged on, and fitted to one half and judged on
     the other (mean over ten ways to halve them); and by how many points the confidences are above the accuracy.
Needs: pip install numpy

    fer-eval --model models/base --data fer2013.csv --split validation --tta flip --csv base.csv
    scripts/bench/temperatures.py base.csv
"""

import csv
import sys

import numpy as np

N_BINS = 15
N_HALVINGS = 10
FIRST_PROBABILITY_COLUMN = 3
# Relative to the temperature that the file was written with.
TEMPERATURES = np.arange(0.8, 1.25, 0.0025)
SMALLEST = 1e-12


def read(path):
    """Probabilities [n, n_labels], the true label of each row, and whether any row gives that label a probability."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    labels = header[FIRST_PROBABILITY_COLUMN:]
    probabilities = np.array([row[FIRST_PROBABILITY_COLUMN:] for row in rows], dtype=float)
    truth = np.array([labels.index(row[1]) for row in rows])
    return probabilities, truth, probabilities.any(axis=0)[truth]


def at(probabilities, temperature):
    scaled = probabilities ** (1 / temperature)
    return scaled / scaled.sum(axis=1, keepdims=True)


def all_labels(probabilities, truth):
    return -np.log(probabilities[np.arange(len(truth)), truth].clip(SMALLEST)).mean()


def named_label(probabilities, truth):
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == truth
    return -np.log(np.where(is_right, confidence, 1 - confidence).clip(SMALLEST)).mean()


def fitted(loss, probabilities, truth, is_known):
    """As fer-eval fits: on the faces whose label the reading knows."""
    known, truth = probabilities[is_known], truth[is_known]
    return min(TEMPERATURES, key=lambda temperature: loss(at(known, temperature), truth))


def ece(confidence, is_right):
    bins = (np.ceil(confidence * N_BINS) - 1).clip(0, N_BINS - 1).astype(int)
    return 100 * np.abs(np.bincount(bins, confidence - is_right)).sum() / len(confidence)


def crossed(loss, probabilities, truth, is_known, seed):
    order = np.random.default_rng(seed).permutation(len(truth))
    halves = order[::2], order[1::2]
    confidence = np.zeros(len(truth))
    for fit_on, judge_on in (halves, halves[::-1]):
        temperature = fitted(loss, probabilities[fit_on], truth[fit_on], is_known[fit_on])
        confidence[judge_on] = at(probabilities[judge_on], temperature).max(axis=1)
    return ece(confidence, probabilities.argmax(axis=1) == truth)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("| file | loss | ECE | halves | too sure by |\n|---|---|---:|---:|---:|")
    for path in sys.argv[1:]:
        probabilities, truth, is_known = read(path)
        is_right = probabilities.argmax(axis=1) == truth
        for name, loss in (("all labels", all_labels), ("named label", named_label)):
            confidence = at(probabilities, fitted(loss, probabilities, truth, is_known)).max(axis=1)
            halves = [crossed(loss, probabilities, truth, is_known, seed) for seed in range(N_HALVINGS)]
            gap = 100 * (confidence.mean() - is_right.mean())
            print(f"| {path} | {name} | {ece(confidence, is_right):.2f} | {np.mean(halves):.2f} | {gap:+.2f} |")


if __name__ == "__main__":
    main()
