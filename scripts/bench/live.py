"""fer-live beside PyPI's fer and deepface on one clip, from the file to the readings: each run a process of its own, in turn.

In: a clip, fer-live, a Python that has `fer`, and one that has `deepface`. Out: a Markdown table on standard output.

Of fer-live the whole program counts: start, model, decoding, readings as CSV, end; and from the same runs what it
says itself of its frames: decoding, reading and writing. Of the peers the frames alone count, decoded by their OpenCV
and read by `detect_emotions` and `DeepFace.analyze`: what their start takes is told apart.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time


def fer():
    """What reads a frame, and returns how many faces it has."""
    from fer.fer import FER

    detector = FER()
    return lambda frame: len(detector.detect_emotions(frame))


def deepface():
    """The same; without weights, which are fetched from GitHub: as many operations, labels that mean nothing."""
    from deepface.commons import weight_utils

    weight_utils.download_weights_if_necessary = lambda file_name, source_url, compress_type=None: file_name
    weight_utils.load_model_weights = lambda model, weight_file: model
    from deepface import DeepFace

    options = {"actions": ("emotion",), "detector_backend": "opencv", "enforce_detection": False, "silent": True}
    # Without a face it answers for the whole frame, with confidence 0.
    return lambda frame: sum(face["face_confidence"] > 0 for face in DeepFace.analyze(frame, **options))


def peer(read_with, clip):
    """Seconds until the first frame is read, then frames, seconds and faces."""
    start = time.perf_counter()
    import cv2

    read = read_with()
    read(cv2.VideoCapture(clip).read()[1])
    capture = cv2.VideoCapture(clip)
    began = time.perf_counter()
    frames = faces = 0
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames += 1
        faces += read(frame)
    return {"frames": frames, "faces": faces, "start": began - start, "seconds": time.perf_counter() - began}


def ours(program, clip, options):
    with tempfile.TemporaryDirectory() as folder:
        table = os.path.join(folder, "readings.csv")
        start = time.perf_counter()
        command = [program, "--input", clip, "--headless", "--csv", table, *options]
        told = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr
        seconds = time.perf_counter() - start
        with open(table) as file:
            rows = [line.split(",") for line in file.read().splitlines()[1:]]
    # input, frame, timestamp_ms, success, ...
    return {
        "frames": len({row[1] for row in rows}),
        "faces": sum(row[3] == "1" for row in rows),
        "start": 0.0,
        "seconds": seconds,
        "own pace": float(re.search(r"\(([0-9.]+) a second\)", told)[1]),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fer", required=True, help="a Python that has fer")
    parser.add_argument("--deepface", required=True, help="a Python that has deepface")
    parser.add_argument("--program", required=True, help="fer-live")
    parser.add_argument("--clip", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    def theirs(python, name):
        told = subprocess.run([python, __file__, "--worker", name, args.clip], capture_output=True, text=True)
        if told.returncode:
            sys.exit(f"live.py: {told.stderr[-2000:]}")
        return json.loads(told.stdout.strip().splitlines()[-1])

    base_name = "fer, `detect_emotions`, its start not counted"
    measures = {
        "fer-live, whole program": lambda: ours(args.program, args.clip, []),
        "fer-live, a search of every frame, whole program": lambda: ours(args.program, args.clip, ["--search-every", "0"]),
        base_name: lambda: theirs(args.fer, "fer"),
        "deepface, `analyze` with fresh weights, its start not counted": lambda: theirs(args.deepface, "deepface"),
    }
    found = {name: [] for name in measures}
    for name, measure in measures.items():
        if name.startswith("fer-live"):
            measure()
    for _ in range(args.rounds):
        for name, measure in measures.items():
            found[name].append(measure())
            print(name, found[name][-1], file=sys.stderr)

    def pace(rows):
        return statistics.median(row["frames"] / row["seconds"] for row in rows)

    base = pace(found[base_name])
    whole = found["fer-live, whole program"]
    frames = [row | {"seconds": row["frames"] / row["own pace"], "start": row["seconds"]} for row in whole]
    for row in frames:
        row["start"] -= row["seconds"]
    found = {"fer-live, its start not counted": frames} | found
    print("| | frames/s | × fer | faces in so many frames | start, s |\n|---|---:|---:|---:|---:|")
    for name, rows in found.items():
        last = rows[-1]
        start = statistics.median(row["start"] for row in rows)
        told = f"{start:.1f}" if start else "in it"
        cells = [f"{pace(rows):.0f}", f"{pace(rows) / base:.1f}", f"{last['faces']} in {last['frames']}", told]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(peer({"fer": fer, "deepface": deepface}[sys.argv[2]], sys.argv[3])))
    else:
        main()
