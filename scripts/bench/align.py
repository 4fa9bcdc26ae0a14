#!/usr/bin/env python3
"""Whether crops turned by YuNet's eyes (`fer-live --align`) read better.
In: FER-2013's CSV (plain or .zst), YuNet's file. Out: a table of faces found and read as their label says.

Faces of PublicTest, every fifth, enlarged four times, bordered with their own edge pixels, turned by known angles, read by
fer-live as photos. Needs a Python with opencv-python-headless; `zstd` for a .zst.

    scripts/bench/align.py --data fer2013.csv.zst --yunet face_detection_yunet_2023mar.onnx [--model models/small]
"""
import argparse
import csv
import os
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
ANGLES = [0, 10, 20, 30]
SIDE = 192
BIN = Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release"


def faces(path):
    """Label and pixels `[48, 48]` of every fifth face of PublicTest."""
    reader = subprocess.Popen(["zstdcat", "-f", path], stdout=subprocess.PIPE, text=True)
    rows = [row for row in csv.DictReader(reader.stdout) if row["Usage"] == "PublicTest"]
    for row in rows[::5]:
        yield LABELS[int(row["emotion"])], np.array(row["pixels"].split(), np.uint8).reshape(48, 48)


def turned(face, degrees):
    face = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    face = cv2.copyMakeBorder(face, SIDE // 2, SIDE // 2, SIDE // 2, SIDE // 2, cv2.BORDER_REPLICATE)
    turn = cv2.getRotationMatrix2D((SIDE, SIDE), degrees, 1)
    return cv2.warpAffine(face, turn, (2 * SIDE, 2 * SIDE), borderMode=cv2.BORDER_REPLICATE)


def read(folder, arguments, options):
    """By photo: the label of its surest face, or None where no face was found; a label is forced."""
    table = folder / "read.csv"
    command = [BIN / "fer-live", "--input", folder / "photos", "--headless", "-q", "--csv", table, "--model", arguments.model]
    command += ["--detector", "yunet", "--detector-model", arguments.yunet, *options]
    subprocess.run(command, check=True)
    best = {}
    with open(table, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["success"] == "1":
                said = max(LABELS, key=lambda label: float(row[label]))
                score = float(row["score"])
                best[Path(row["input"]).name] = max(best.get(Path(row["input"]).name, (-1, "")), (score, said))
    return {name: said for name, (_, said) in best.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--yunet", required=True)
    parser.add_argument("--model", default="models/small")
    arguments = parser.parse_args()
    known = list(faces(arguments.data))
    print(f"{len(known)} faces, {arguments.model}\n\n| turned by | found | read right, as it is | read right, eyes level |\n|---|---|---|---|")
    for angle in ANGLES:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            (folder / "photos").mkdir()
            for idx, (_, face) in enumerate(known):
                # To either side in turn, so that no side counts more.
                cv2.imwrite(str(folder / "photos" / f"{idx:05}.png"), turned(face, angle if idx % 2 else -angle))
            right = []
            for options in ([], ["--align"]):
                said = read(folder, arguments, options)
                right.append(sum(said.get(f"{idx:05}.png") == label for idx, (label, _) in enumerate(known)))
            n = len(said)
            print(f"| {angle}° | {n} | {100 * right[0] / n:.1f} % | {100 * right[1] / n:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
