"""fer-live beside PyPI's fer on one clip, from the file to the readings: each run a process of its own, in turn.

In: a clip, fer-live, and a Python that has `fer`. Out: a Markdown table on standard output.

Of fer-live the whole program counts: start, model, decoding, readings as CSV, end; and from the same runs what it
says itself of its frames: decoding, reading and writing. Of `fer` the frames alone count, decoded by its OpenCV and
read by `detect_emotions`: what its start takes is told apart.
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


def peer(clip):
    """Seconds until the first frame is read, then frames a second and faces."""
    start = time.perf_counter()
    import cv2
    from fer.fer import FER

    detector = FER()
    capture = cv2.VideoCapture(clip)
    detector.detect_emotions(capture.read()[1])
    capture = cv2.VideoCapture(clip)
    began = time.perf_counter()
    frames = faces = 0
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames += 1
        faces += len(detector.detect_emotions(frame))
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
    parser.add_argument("--peer", required=True, help="a Python that has fer")
    parser.add_argument("--program", required=True, help="fer-live")
    parser.add_argument("--clip", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    def theirs():
        told = subprocess.run([args.peer, __file__, "--worker", args.clip], capture_output=True, text=True)
        if told.returncode:
            sys.exit(f"live.py: {told.stderr[-2000:]}")
        return json.loads(told.stdout.strip().splitlines()[-1])

    measures = {
        "fer-live, whole program": lambda: ours(args.program, args.clip, []),
        "fer-live, a search of every frame, whole program": lambda: ours(args.program, args.clip, ["--search-every", "0"]),
        "fer, `detect_emotions`, its start not counted": theirs,
    }
    found = {name: [] for name in measures}
    for name, measure in measures.items():
        if measure is not theirs:
            measure()
    for _ in range(args.rounds):
        for name, measure in measures.items():
            found[name].append(measure())
            print(name, found[name][-1], file=sys.stderr)

    def pace(rows):
        return statistics.median(row["frames"] / row["seconds"] for row in rows)

    base = pace(found["fer, `detect_emotions`, its start not counted"])
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
        print(json.dumps(peer(sys.argv[2])))
    else:
        main()
