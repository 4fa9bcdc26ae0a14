"""What may be given to a reader, and what it answers."""

import copy
import io
import multiprocessing
import os
import pickle
import threading
import time
from pathlib import Path

import numpy
import pytest
from PIL import Image

import fer_rs
from fer_rs import FerError, Face, OptionError, PictureError, PictureNotFoundError, Reader, Tracker


def test_a_face_has_a_box_seven_probabilities_and_a_label(reader: Reader, drawn: numpy.ndarray) -> None:
    faces = reader.read(drawn, channels="RGB")
    assert len(faces) >= 5 and (faces.height, faces.width) == drawn.shape[:2]
    for face in faces:
        assert tuple(face.probabilities) == reader.labels and len(reader.labels) == 7
        assert sum(face.probabilities.values()) == pytest.approx(1, abs=1e-5)
        best = max(face.probabilities, key=face.probabilities.__getitem__)
        assert face.label in (None, best) and face.confidence == face.probabilities[best]
        assert face.score >= 4 and face.box.width > 20
    assert [face.box.x for face in faces] == sorted(face.box.x for face in faces)


def test_an_uncertain_face_has_no_label(drawn: numpy.ndarray) -> None:
    for limit in (0.0, 0.5, 0.97, 1.0):
        faces = Reader(uncertain_below=limit).read(drawn, channels="RGB")
        assert faces and all((face.label is None) == (face.confidence < limit) for face in faces)


def same(one: list[Face], other: list[Face]) -> bool:
    return len(one) == len(other) > 0 and all(
        a.box == b.box
        and a.label == b.label
        and a.probabilities == pytest.approx(b.probabilities, abs=1e-4)
        for a, b in zip(one, other)
    )


def test_arrays_paths_and_bytes_are_the_same_picture(reader: Reader, drawn: numpy.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "drawn.png"
    Image.fromarray(drawn).save(path)
    expected = reader.read(drawn, channels="RGB")
    bgr = drawn[..., ::-1]
    for image, channels in [
        (bgr, "BGR"),
        (numpy.ascontiguousarray(bgr), "bgr"),
        (numpy.asfortranarray(drawn), "RGB"),
        (Image.fromarray(drawn), "RGB"),
        (path, None),
        (str(path), None),
        (path.read_bytes(), None),
        (bytearray(path.read_bytes()), None),
        (memoryview(path.read_bytes()), None),
    ]:
        assert same(reader.read(image, channels=channels), expected), (type(image), channels)


def test_a_grey_array_needs_no_channels(reader: Reader, drawn: numpy.ndarray) -> None:
    grey = numpy.asarray(Image.fromarray(drawn).convert("L"))
    faces = reader.read(grey)
    assert same(faces, reader.read(numpy.repeat(grey[..., None], 3, axis=2), channels="RGB"))
    assert same(faces, reader.read(grey[..., None]))


def test_a_batch_is_its_pictures(reader: Reader, photos: Path) -> None:
    paths = sorted(photos.iterdir())
    batch = reader.read_batch(paths)
    assert [len(faces) for faces in batch] == [len(reader.read(path)) for path in paths]
    assert all(same(faces, reader.read(path)) for path, faces in zip(paths, batch) if faces)
    assert reader.read_batch([]) == []


def test_own_boxes_are_read_in_their_order(reader: Reader, drawn: numpy.ndarray) -> None:
    found = reader.read(drawn, channels="RGB")
    boxes = [face.box for face in reversed(found)]
    own = reader.read(drawn, channels="RGB", boxes=boxes)
    assert [face.box for face in own] == boxes and all(face.score is None for face in own)
    assert same(list(reversed(own)), found)
    flat = reader.read(numpy.zeros((100, 100), numpy.uint8), boxes=[(10, 10, 50, 50)])
    assert len(flat) == 1, "a box of one's own is read whatever it shows"
    two = reader.read_batch([drawn, drawn], channels="RGB", boxes=[boxes[:1], None])
    assert [len(faces) for faces in two] == [1, len(found)]


@pytest.mark.parametrize(
    ("given", "options", "kind", "text"),
    [
        (numpy.zeros((9, 9, 3), numpy.uint8), {}, OptionError, "channels: expected channels=\"RGB\""),
        (numpy.zeros((9, 9, 3), numpy.uint8), {"channels": "GBR"}, OptionError, "expected RGB or BGR, found GBR"),
        (numpy.zeros((9, 9, 3), numpy.float32), {"channels": "RGB"}, OptionError, "found float32 of shape [9, 9, 3]"),
        (numpy.zeros((9, 9, 4), numpy.uint8), {"channels": "RGB"}, OptionError, "found uint8 of shape [9, 9, 4]"),
        (numpy.zeros((0, 9), numpy.uint8), {}, OptionError, "found uint8 of shape [0, 9]"),
        (numpy.zeros((9, 20_000), numpy.uint8), {}, OptionError, "each side 1 to 16384"),
        (7, {}, OptionError, "expected a NumPy array, a path, or the bytes of a picture file, found int"),
        (b"no picture", {}, PictureError, "image: "),
        ("nowhere.jpg", {}, PictureNotFoundError, "nowhere.jpg: cannot be read: No such file"),
        (numpy.zeros((9, 9), numpy.uint8), {"boxes": [(1, 2, 3)]}, OptionError, "expected x, y, width, height"),
        (numpy.zeros((9, 9), numpy.uint8), {"boxes": [(50, 2, 3, 3)]}, OptionError, "a place in the picture of 9×9"),
        (numpy.zeros((9, 9), numpy.uint8), {"boxes": [(1, 2, 0, 3)]}, OptionError, "found 1, 2, 0, 3"),
    ],
)
def test_what_cannot_be_read_is_said(reader: Reader, given: object, options: dict, kind: type, text: str) -> None:
    with pytest.raises(kind) as said:
        reader.read(given, **options)
    assert text in str(said.value)
    assert isinstance(said.value, FerError)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "huge"}, "model: expected tiny or small, or a model's folder, found huge"),
        ({"model": os.path.dirname(__file__)}, "no model card in"),
        ({"yunet": __file__}, "not a YuNet that can be used"),
        ({"yunet": "nowhere.onnx"}, "nowhere.onnx: not a YuNet that can be used"),
        ({"scale_factor": 1.0}, "scale factor: expected above 1 and up to 2, found 1"),
        ({"uncertain_below": 2}, "uncertain_below: expected 0 to 1, found 2"),
        ({"search_side": 10}, "search_side: expected 48 to 4096 pixels, found 10"),
        ({"align": True}, "align: expected a detector that finds eyes"),
    ],
)
def test_options_out_of_range_are_said(options: dict, text: str) -> None:
    with pytest.raises(FerError) as said:
        Reader(**options)
    assert text in str(said.value)
    assert isinstance(said.value, ValueError)


def test_a_damaged_picture_of_a_batch_is_told_from_the_others(reader: Reader, photos: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jpg"
    buffer = io.BytesIO()
    Image.open(photos / "as-is.png").convert("RGB").save(buffer, "JPEG")
    cut.write_bytes(buffer.getvalue()[:-100])
    batch = [photos / "as-is.png", cut, photos / "no-face.png"]
    with pytest.raises(PictureError, match="cut.jpg: damaged: the JPEG is cut off"):
        reader.read_batch(batch)
    good, bad, empty = reader.read_batch(batch, on_error="return")
    assert len(good) >= 5 and isinstance(bad, PictureError) and empty == []


def test_other_threads_run_while_faces_are_read(reader: Reader, drawn: numpy.ndarray) -> None:
    large = numpy.tile(drawn, (3, 3, 1))
    n_counted, done = 0, threading.Event()

    def count() -> None:
        nonlocal n_counted
        while not done.is_set():
            n_counted += 1
            time.sleep(0)

    counter = threading.Thread(target=count)
    counter.start()
    before = n_counted
    reader.read(large, channels="RGB")
    during = n_counted - before
    done.set()
    counter.join()
    # A held lock would be handed over once or twice, at the call's ends.
    assert during > 100


def test_threads_may_share_a_reader(reader: Reader, drawn: numpy.ndarray) -> None:
    expected = reader.read(drawn, channels="RGB")
    found: list = []
    threads = [
        threading.Thread(target=lambda: found.append(reader.read(drawn, channels="RGB"))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(same(faces, expected) for faces in found)


def _n_faces(reader: Reader, drawn: numpy.ndarray, answer) -> None:
    answer.put(len(reader.read(drawn, channels="RGB")))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_reader_goes_into_other_processes(reader: Reader, drawn: numpy.ndarray, method: str) -> None:
    expected = len(reader.read(drawn, channels="RGB"))
    context = multiprocessing.get_context(method)
    answer = context.Queue()
    child = context.Process(target=_n_faces, args=(reader, drawn, answer))
    child.start()
    assert answer.get(timeout=60) == expected
    child.join(timeout=60)
    assert child.exitcode == 0


def test_readers_and_faces_are_pickled_whole(drawn: numpy.ndarray) -> None:
    reader = Reader("tiny", search_side=512)
    again = pickle.loads(pickle.dumps(reader))
    faces = again.read(drawn, channels="RGB")
    assert repr(again) == repr(reader) == "Reader(model='tiny', search_side=512)"
    thawed = pickle.loads(pickle.dumps(faces))
    assert thawed == faces and thawed.width == faces.width
    assert copy.deepcopy(faces[0]) == faces[0]


def test_a_tracker_refuses_times_that_go_back(drawn: numpy.ndarray) -> None:
    tracker = Tracker(Reader("tiny"))
    tracker.update(drawn, 1.0, channels="RGB")
    with pytest.raises(OptionError, match="expected no less than 1 seconds, the last frame's, found 0.5"):
        tracker.update(drawn, 0.5, channels="RGB")
    with pytest.raises(OptionError, match="expected seconds, 0 or more"):
        tracker.update(drawn, float("nan"), channels="RGB")


def test_a_track_keeps_its_number_and_waits_for_its_label(drawn: numpy.ndarray) -> None:
    tracker = Tracker()
    read = [tracker.update(drawn, step / 25, channels="RGB") for step in range(6)]
    sure = {face.track for face in read[0]}
    assert sure and all(sure <= {face.track for face in faces} for faces in read)
    assert all(face.label is None for face in read[0])
    assert any(face.label for face in read[-1])
    for face in read[-1]:
        assert sum(face.smooth.values()) == pytest.approx(1, abs=1e-5)
        assert face.confidence == (face.smooth[face.label] if face.label else max(face.smooth.values()))


def test_the_models_card_is_there(reader: Reader) -> None:
    assert reader.card["labels"] == list(reader.labels)
    assert fer_rs.MODELS == ["tiny", "small"] and fer_rs.__version__


def yunet() -> str:
    """YuNet's file, of which the repository has none."""
    path = os.environ.get("FER_YUNET")
    if not path:
        pytest.skip("FER_YUNET names no face_detection_yunet_2023mar.onnx")
    return path


def _yunet_after_fork(reader: Reader, drawn: numpy.ndarray, answer) -> None:
    try:
        reader.read(drawn, channels="RGB")
    except FerError as error:
        answer.put(str(error))


def test_yunet_finds_faces_and_says_that_it_does_not_survive_a_fork(drawn: numpy.ndarray) -> None:
    reader = Reader(yunet=yunet(), align=True)
    faces = reader.read(drawn, channels="RGB")
    assert len(faces) >= 20 and all(0.8 <= face.score <= 1 for face in faces)
    assert Tracker(reader).update(drawn, 0.0, channels="RGB")
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    child = context.Process(target=_yunet_after_fork, args=(reader, drawn, answer))
    child.start()
    assert "YuNet cannot be used after a fork" in answer.get(timeout=60)
    child.join(timeout=60)
