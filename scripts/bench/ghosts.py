#!/usr/bin/env python3
"""Faces where none are: fer-live on clips in which a camera pans over pictures without people and nears them.

    scripts/bench/ghosts.py --scenery FOLDER --model DIR [--model DIR …]

In: pictures without people (the folder that `fer-eval verifier` is given), models, fer-live (FER_BIN, else
target/release), ffmpeg. Out: a Markdown table on standard output. Every fifth picture in the order of the paths is
filmed: those that `fer-eval verifier --fit` holds out.
"""

import argparse
import csv
import os
import pathlib
import subprocess
import tempfile

BIN = pathlib.Path(os.environ.get("FER_BIN", pathlib.Path(__file__).resolve().parents[2] / "target/release"))
KINDS = {".jpg", ".jpeg", ".png", ".webp"}
FRAMES = 90
# Three seconds at 30 frames a second: from one side to the other, up and down, 1.5 times nearer at the end.
CAMERA = (
    "scale=1280:960:force_original_aspect_ratio=increase,crop=1280:960,"
    f"zoompan=z='1+0.006*on':x='(iw-iw/zoom)*on/{FRAMES}':y='(ih-ih/zoom)*(0.5+0.4*sin(on/25))'"
    f":d={FRAMES}:s=640x480:fps=30"
)


def film(picture, clip):
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p"]
    command = ["ffmpeg", "-v", "error", "-y", "-i", picture, "-vf", CAMERA, "-frames:v", str(FRAMES)]
    subprocess.run([*command, *coding, clip], check=True)


def shown(clip, model, table):
    """Labels of the rows in which a face is shown; empty for one that has none."""
    command = [BIN / "fer-live", "--input", clip, "--headless", "-q", "--model", model, "--csv", table]
    subprocess.run(command, check=True)
    with open(table, newline="") as rows:
        return [row["label"] for row in csv.DictReader(rows) if row["success"] == "1"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenery", type=pathlib.Path, required=True)
    parser.add_argument("--model", action="append", required=True)
    arguments = parser.parse_args()
    pictures = sorted(path for path in arguments.scenery.rglob("*") if path.suffix.lower() in KINDS)[4::5]
    if not pictures:
        parser.error(f"--scenery {arguments.scenery}: expected a folder with five pictures or more")
    found = {model: [] for model in arguments.model}
    with tempfile.TemporaryDirectory() as folder:
        clip = pathlib.Path(folder, "clip.mp4")
        for picture in pictures:
            film(picture, clip)
            for model, clips in found.items():
                clips.append(shown(clip, model, pathlib.Path(folder, "rows.csv")))
    print("| model | clips | frames | rows with a face | of these with a label | clips with one |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for model, clips in found.items():
        labels = [label for rows in clips for label in rows]
        n_labelled = sum(1 for label in labels if label)
        n_clips = sum(1 for rows in clips if rows)
        print(f"| {model} | {len(clips)} | {len(clips) * FRAMES} | {len(labels)} | {n_labelled} | {n_clips} |")


if __name__ == "__main__":
    main()
