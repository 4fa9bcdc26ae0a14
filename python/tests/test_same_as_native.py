"""The package reads what the native program reads: boxes, probabilities, labels, tracks."""

import csv
import io
from pathlib import Path

import numpy
import pytest
from conftest import run

from fer_rs import Reader, Tracker, read_video, rows, write_csv

TOLERANCE = 1e-4
"""Faces that are read together may go through another kernel than faces read alone."""


def numbers_agree(ours: list[dict], theirs: list[dict]) -> int:
    """Compares rows cell by cell; returns how many faces there were."""
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs):
        assert our.keys() == their.keys()
        for name in our:
            if our[name] == their[name]:
                continue
            assert abs(float(our[name]) - float(their[name])) <= TOLERANCE, (name, our, their)
    return sum(their["success"] == "1" for their in theirs)


def table(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


def written(results, names, labels) -> list[dict]:
    file = io.StringIO(newline="")
    write_csv(results, file, names, labels)
    return table(file.getvalue())


@pytest.mark.parametrize("model", ["tiny", "small"])
def test_photos_give_the_same_boxes_and_probabilities(native: Path, photos: Path, model: str) -> None:
    folder = Path(__file__).resolve().parents[2] / "models" / model
    told = run(native, "--input", photos, "--model", folder, "--csv", "-")
    assert told.returncode == 0, told.stderr
    names = sorted(str(path) for path in photos.iterdir())
    reader = Reader(model)
    n_faces = numbers_agree(written(reader.read_batch(names), names, reader.labels), table(told.stdout.decode()))
    assert n_faces >= 20, "the drawn faces are found"


def test_the_command_writes_the_native_programs_csv(native: Path, photos: Path) -> None:
    theirs = run(native, "--input", photos, "--csv", "-")
    ours = run("fer-rs", photos, "--csv", "-", "--batch", 1)
    assert ours.returncode == 0, ours.stderr
    assert ours.stdout == theirs.stdout


def test_frames_give_the_same_tracks_and_smoothed_probabilities(native: Path, drawn: numpy.ndarray) -> None:
    height, width = drawn.shape[:2]
    frames = [numpy.roll(drawn, 3 * step, axis=1) // (1 + step % 2) for step in range(12)]
    told = run(
        native, "--input", "-", "--stdin-size", f"{width}x{height}", "--rate", 10, "--headless", "--csv", "-",
        input=b"".join(frame.tobytes() for frame in frames),
    )
    assert told.returncode == 0, told.stderr
    tracker = Tracker()
    read = [tracker.update(frame, step / 10, channels="RGB") for step, frame in enumerate(frames)]
    theirs = table(told.stdout.decode())
    ours = written(read, "-", Reader().labels)
    for position in {row["frame"] for row in theirs}:
        # The native program counts time; a list of frames does not.
        time = {row["timestamp_ms"] for row in theirs if row["frame"] == position}
        for row in ours:
            if row["frame"] == position:
                [row["timestamp_ms"]] = time
    assert numbers_agree(ours, theirs) >= 12


def test_a_video_is_read_in_order_and_with_its_times(drawn: numpy.ndarray, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "drawn.mp4"
    height, width = (side // 2 * 2 for side in drawn.shape[:2])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 8_000_000
        for step in range(20):
            picture = numpy.ascontiguousarray(numpy.roll(drawn, step, axis=1)[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    read = list(read_video(path))
    assert [frame.index for frame in read] == list(range(20))
    assert [round(frame.time, 3) for frame in read] == [step / 20 for step in range(20)]
    last = read[-1].faces
    assert len(last) >= 20 and sum(face.label is not None for face in last) >= 10
    assert {face.track for face in read[5].faces} & {face.track for face in last}
    assert len(list(rows(read, "drawn.mp4"))) >= 20
    every_third = [frame.index for frame in read_video(path, every=3)]
    assert every_third == list(range(0, 20, 3))
