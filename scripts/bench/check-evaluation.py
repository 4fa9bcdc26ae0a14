#!/usr/bin/env python3
"""Judges fer-eval's figures a second time, with scikit-learn and ONNX Runtime.

In:  the --csv and --json of one fer-eval run without test-time augmentation, the model's ONNX file,
     and the FER-2013 CSV (plain, .gz, .xz or .zst) that was judged.
Out: a table of differences; exit code 1 when one is too large.
Needs: pip install scikit-learn onnxruntime numpy zstandard

    fer-eval --model DIR --data fer2013.csv --split validation --csv e.csv --json e.json
    fer-eval export --model DIR --onnx m.onnx
    scripts/bench/check-evaluation.py e.csv e.json m.onnx fer2013.csv
"""

import csv
import gzip
import io
import json
import lzma
import sys

import numpy as np
import onnxruntime
from sklearn import metrics


def opened(path):
    if path.endswith(".gz"):
        return gzip.open(path, "rt")
    if path.endswith(".xz"):
        return lzma.open(path, "rt")
    if path.endswith(".zst"):
        import zstandard

        return io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(open(path, "rb")))
    return open(path)


def faces(path, rows):
    """Normalised faces of data rows counted from 1, as [n, 1, 48, 48]."""
    wanted, found = set(rows), {}
    for row, record in enumerate(csv.DictReader(opened(path), skipinitialspace=True), start=1):
        if row in wanted:
            found[row] = np.array(record["pixels"].split(), dtype=np.float32).reshape(1, 48, 48)
    return np.stack([found[row] for row in rows])


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def ece(probabilities, truth, bins=15):
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    idx = np.clip(np.ceil(confidence * bins).astype(int), 1, bins)
    gaps = [
        (idx == b).mean() * abs(right[idx == b].mean() - confidence[idx == b].mean())
        for b in range(1, bins + 1)
        if (idx == b).any()
    ]
    return sum(gaps)


def main():
    table, figures, onnx, data = sys.argv[1:]
    with open(figures) as file:
        figures = json.load(file)
    with open(table) as file:
        rows = list(csv.DictReader(file))
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    labels = json.loads(about["labels"])
    temperature = float(about["temperature"])

    probabilities = np.array([[float(row[name]) for name in labels] for row in rows])
    truth = np.array([labels.index(row["label"]) for row in rows])
    predicted = np.array([labels.index(row["prediction"]) for row in rows])

    images = faces(data, [int(row["source"].removeprefix("row ")) for row in rows])
    images = (images - np.float32(about["mean"])) / np.float32(about["deviation"])
    logits = np.concatenate(
        [session.run(["logits"], {"faces": images[i : i + 100]})[0] for i in range(0, len(images), 100)]
    ).astype(np.float64)
    # fer's probabilities fix its logits up to a constant a face: compare what remains.
    ours = np.log(probabilities) * temperature
    centred = lambda x: x - x.mean(axis=1, keepdims=True)
    logit_difference = np.abs(centred(ours) - centred(logits)).max()

    raw = softmax(logits)
    everything = np.arange(len(labels))
    second = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, labels=everything, average="macro", zero_division=0),
        "top2": metrics.top_k_accuracy_score(truth, raw, k=2, labels=everything),
        "nll": metrics.log_loss(truth, raw, labels=everything),
        "brier": ((raw - np.eye(len(labels))[truth]) ** 2).sum(axis=1).mean(),
        "ece": ece(raw, truth),
        "ece_calibrated": ece(probabilities, truth),
    }
    confusion = metrics.confusion_matrix(truth, predicted, labels=everything)
    same_confusion = bool((confusion == np.array(figures["confusion_matrix"])).all())
    worst = 0.0
    print(f"{'figure':<20}{'fer-eval':>12}{'second way':>12}{'difference':>12}")
    for name, value in second.items():
        difference = abs(value - figures[name])
        worst = max(worst, difference)
        print(f"{name:<20}{figures[name]:>12.6f}{value:>12.6f}{difference:>12.1e}")
    print(f"confusion matrix equal: {same_confusion}")
    print(f"largest logit difference to ONNX Runtime over {len(rows)} faces: {logit_difference:.1e}")
    print()
    print(metrics.classification_report(truth, predicted, labels=everything, target_names=labels, zero_division=0))
    sys.exit(0 if worst < 1e-5 and same_confusion and logit_difference <= 1e-4 else 1)


main()
