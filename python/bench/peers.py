"""fer-rs beside PyPI's fer: the same decoded frames, each measurement a process of its own, peers in turn.

In: two Pythons, one with each package, and a clip. Out: Markdown tables on standard output.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

MEASURES = {
    "ours, `compat.FER` (a search of every frame)": ("ours", "compat"),
    "ours, `Reader(search_side=320).read`": ("ours", "coarse"),
    "ours, `Reader.read`": ("ours", "read"),
    "ours, `Reader.read_batch` of 16": ("ours", "batch"),
    "ours, `Tracker.update`": ("ours", "track"),
    "fer 25.10, `FER().detect_emotions`": ("peer", "peer"),
}


# --- workers ---------------------------------------------------------------------------------------------------------


def decode(clip, target):
    """The clip's frames, BGR, into a NumPy file; by the peer's OpenCV."""
    import cv2
    import numpy

    capture, frames = cv2.VideoCapture(clip), []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(frame)
    numpy.save(target, numpy.stack(frames))


def reading(kind):
    """A function that reads a list of frames and counts faces."""
    if kind == "peer":
        from fer.fer import FER

        detector = FER()
        return lambda frames: sum(len(detector.detect_emotions(frame)) for frame in frames)
    import fer_rs
    from fer_rs.compat import FER

    if kind == "compat":
        shaped = FER()
        return lambda frames: sum(len(shaped.detect_emotions(frame)) for frame in frames)
    reader = fer_rs.Reader(search_side=320 if kind == "coarse" else None)
    if kind in ("read", "coarse"):
        return lambda frames: sum(len(reader.read(frame, channels="BGR")) for frame in frames)
    if kind == "batch":
        starts = lambda frames: range(0, len(frames), 16)
        return lambda frames: sum(
            len(faces) for at in starts(frames) for faces in reader.read_batch(frames[at : at + 16], channels="BGR")
        )

    def track(frames):
        tracker = fer_rs.Tracker(reader)
        return sum(len(tracker.update(frame, at / 25, channels="BGR")) for at, frame in enumerate(frames))

    return track


def resident():
    """Memory of this process now, in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def speed(kind, file):
    import numpy

    frames = list(numpy.load(file))
    read = reading(kind)
    read(frames[:5])
    start, start_cpu = time.perf_counter(), time.process_time()
    n_faces = read(frames)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    return {"fps": len(frames) / seconds, "cpu_ms": 1000 * cpu / len(frames), "faces": n_faces}


def memory(kind, file, n):
    import numpy

    frames = numpy.load(file)
    bare = resident()
    read = reading(kind)
    pictures = ([numpy.array(frames[at % len(frames)])] for at in range(n))
    read(next(pictures))
    first = resident()
    rows = []
    for at, picture in enumerate(pictures, 2):
        read(picture)
        if at % 100 == 0:
            rows.append(resident())
    return {"package": first - bare, "growth": rows[-1] - rows[0], "peak": max(rows)}


# --- the run ---------------------------------------------------------------------------------------------------------


def worker(python, *words):
    told = subprocess.run([python, __file__, "--worker", *map(str, words)], capture_output=True, text=True)
    if told.returncode:
        sys.exit(f"peers.py: {' '.join(map(str, words))}: {told.stderr[-2000:]}")
    return json.loads(told.stdout.strip().splitlines()[-1])


def size_mb(python):
    """Bytes on the disk of all that pip installed, without pip and setuptools, as du counts them."""
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    folder = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    parts = [
        os.path.join(folder, name)
        for name in os.listdir(folder)
        if not name.lower().startswith(("pip", "setuptools", "pkg_resources", "_distutils", "distutils-precedence"))
    ]
    told = subprocess.run(["du", "-sck", "--apparent-size", *parts], capture_output=True, text=True, check=True)
    own = [part for part in parts if os.path.basename(part).startswith(("fer_rs", "fer-", "fer"))]
    mine = subprocess.run(["du", "-sck", "--apparent-size", *own], capture_output=True, text=True, check=True)
    return tuple(int(text.stdout.split()[-2]) / 1000 for text in (told, mine))


def import_seconds(python, line, rounds):
    def run(code):
        start = time.perf_counter()
        subprocess.run([python, "-c", code], check=True, capture_output=True)
        return time.perf_counter() - start

    run(line)
    return statistics.median(run(line) - run("pass") for _ in range(rounds))


def main():
    parser = argparse.ArgumentParser()
    for name in ("--ours", "--peer", "--clip"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=1000)
    args = parser.parse_args()
    pythons = {"ours": args.ours, "peer": args.peer}

    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "frames.npy")
        worker(args.peer, "decode", args.clip, file)
        found = {name: [] for name in MEASURES}
        for _ in range(args.rounds):
            for name, (who, kind) in MEASURES.items():
                found[name].append(worker(pythons[who], "speed", kind, file))
                print(name, found[name][-1], file=sys.stderr)
        peer = found["fer 25.10, `FER().detect_emotions`"]
        base = statistics.median(row["fps"] for row in peer)
        base_cpu = statistics.median(row["cpu_ms"] for row in peer)
        print("\n| | frames/s | × fer | CPU ms a frame | CPU: fer's by ours | faces |\n|---|---|---|---|---|---|")
        for name, rows in found.items():
            fps, cpu = (statistics.median(row[key] for row in rows) for key in ("fps", "cpu_ms"))
            cells = f"{fps:.1f} | {fps / base:.1f} | {cpu:.1f} | {base_cpu / cpu:.1f} | {rows[0]['faces']}"
            print(f"| {name} | {cells} |")
        print(f"\nMemory over {args.pictures} pictures, MB:\n")
        print("| | package and model, after the first picture | growth from the 100th to the last | peak, frames included |\n|---|---|---|---|")
        for name, (who, kind) in MEASURES.items():
            if kind in ("read", "peer"):
                row = worker(pythons[who], "memory", kind, file, args.pictures)
                print(f"| {name} | {row['package']:.0f} | {row['growth']:+.1f} | {row['peak']:.0f} |")

    sizes = {who: size_mb(python) for who, python in pythons.items()}
    imports = {
        "ours": import_seconds(args.ours, "import fer_rs", 2 * args.rounds + 1),
        "peer": import_seconds(args.peer, "from fer.fer import FER", args.rounds),
    }
    print("\n| | installed, all of it | the package alone | import |\n|---|---|---|---|")
    for who in pythons:
        print(f"| {who} | {sizes[who][0]:.1f} MB | {sizes[who][1]:.1f} MB | {imports[who]:.3f} s |")
    print(f"\nSize: fer by ours {sizes['peer'][0] / sizes['ours'][0]:.0f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        job, *words = sys.argv[2:]
        if job == "decode":
            decode(*words)
            answer = {}
        elif job == "speed":
            answer = speed(*words)
        else:
            answer = memory(words[0], words[1], int(words[2]))
        print(json.dumps(answer))
    else:
        main()
