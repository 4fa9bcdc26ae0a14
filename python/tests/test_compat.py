"""The shapes of other packages: their recorded answers against ours."""

import base64
import json
import math
import re
from pathlib import Path

import numpy
import pytest
from PIL import Image

from fer_rs import FerError, OptionError
from fer_rs.compat import FER, DeepFace, Detector, Video

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())
"""What the packages answered, written by python/tests/record_peers.py where they are installed."""


def shape(value: object) -> object:
    """What a value is made of: keys in their order, kinds of numbers, the first of a list."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, numpy.ndarray)):
        return [shape(value[0])] if len(value) else []
    if isinstance(value, (bool, str)) or value is None:
        return type(value).__name__
    return "number"


@pytest.fixture
def bgr(drawn: numpy.ndarray) -> numpy.ndarray:
    return numpy.ascontiguousarray(drawn[..., ::-1])


@pytest.fixture
def clip(drawn: numpy.ndarray, tmp_path: Path) -> Path:
    av = pytest.importorskip("av")
    path = tmp_path / "drawn.mp4"
    height, width = (side // 2 * 2 for side in drawn.shape[:2])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 8_000_000
        picture = av.VideoFrame.from_ndarray(numpy.ascontiguousarray(drawn[:height, :width]), format="rgb24")
        for _ in range(6):
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def test_fer_answers_in_its_shape(bgr: numpy.ndarray, tmp_path: Path) -> None:
    detector = FER()
    found = detector.detect_emotions(bgr)
    assert shape(found) == shape(RECORDED["fer"]["detect_emotions"])
    assert list(found[0]["emotions"]) == list(RECORDED["fer"]["detect_emotions"][0]["emotions"])
    assert all(round(value, 2) == value for face in found for value in face["emotions"].values())
    assert shape(list(detector.top_emotion(bgr))) == shape(RECORDED["fer"]["top_emotion"])
    assert detector.top_emotion(bgr)[0] == max(found[0]["emotions"], key=found[0]["emotions"].get)
    nobody = numpy.full((90, 90, 3), 90, numpy.uint8)
    assert detector.detect_emotions(nobody) == RECORDED["fer"]["detect_emotions_nobody"] == []
    assert list(detector.top_emotion(nobody)) == RECORDED["fer"]["top_emotion_nobody"]
    assert detector.batch_detect_emotions([bgr, nobody]) == [found, []]
    assert detector.find_faces(bgr) == [face["box"] for face in found]
    own = detector.detect_emotions(bgr, face_rectangles=[found[1]["box"]])
    assert [face["box"] for face in own] == [found[1]["box"]]
    path = tmp_path / "drawn.png"
    Image.fromarray(bgr[..., ::-1]).save(path)
    encoded = "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    assert detector.detect_emotions(str(path)) == detector.detect_emotions(encoded) == found


def test_a_video_answers_in_fers_shape(clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    video, detector = Video(str(clip)), FER()
    table = video.analyze(detector)
    recorded = RECORDED["fer"]["video_csv_first_row"]
    for number in (0, 1):
        ours, theirs = (
            {key: part for key, part in shape(row).items() if re.fullmatch(rf"\D+{number}", key)}
            for row in (table[0], recorded)
        )
        assert list(ours.items()) == list(theirs.items()) and len(ours) == 8
    assert len(table) == 6 == len(video.times) and video.times[1] == pytest.approx(0.1)
    assert (tmp_path / "data.csv").read_text().count("\n") == 7
    frame = video.analyze(detector, output="pandas", frequency=2, max_results=2)
    assert list(frame.columns) == RECORDED["fer"]["video_pandas_columns"] and len(frame) == 2
    assert list(video.get_emotions(frame).columns) == RECORDED["fer"]["video_pandas_columns"][1:]
    everybody = Video(str(clip), first_face_only=False).analyze(detector, output="pandas", max_results=1)
    assert {"box1", "angry1"} <= set(everybody.columns)
    with pytest.warns(UserWarning, match="no effect in fer_rs: save_video"):
        video.analyze(detector, output="pandas", max_results=1, save_video=True)
    cut = video.analyze(detector, output="pandas", max_results=1, detection_box={"x_min": 40, "x_max": 400, "y_min": 0, "y_max": 400})
    assert cut["box"][0][0] >= 40


def test_deepface_answers_in_its_shape(bgr: numpy.ndarray) -> None:
    found = DeepFace.analyze(bgr, actions=["emotion"])
    recorded = RECORDED["deepface"]["analyze"]
    assert shape(found[0]) == shape(recorded[0])
    for face in found:
        assert sum(face["emotion"].values()) == pytest.approx(100, abs=1e-3)
        assert face["dominant_emotion"] == max(face["emotion"], key=face["emotion"].get)
        assert 0 < face["face_confidence"] <= 1
    nobody = numpy.full((90, 120, 3), 90, numpy.uint8)
    with pytest.raises(ValueError, match="Face could not be detected"):
        DeepFace.analyze(nobody)
    [whole] = DeepFace.analyze(nobody, enforce_detection=False)
    assert (whole["region"]["w"], whole["region"]["h"], whole["face_confidence"]) == (120, 90, 0)
    assert DeepFace.analyze([bgr, bgr]) == [found, found]
    with pytest.raises(OptionError, match="reads no age, gender or race"):
        DeepFace.analyze(bgr, actions=["emotion", "age"])


def test_py_feat_answers_in_its_shape(bgr: numpy.ndarray, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "drawn.png"
    Image.fromarray(bgr[..., ::-1]).save(path)
    nobody = tmp_path / "nobody.png"
    Image.new("RGB", (90, 90)).save(nobody)
    fex = Detector().detect([str(path), str(nobody)])
    recorded = RECORDED["py-feat"]
    assert list(fex.emotions.columns) == recorded["emotion_columns"]
    assert list(fex.faceboxes.columns) == recorded["facebox_columns"]
    assert set(recorded["place_columns"]) <= set(fex.columns)
    assert list(fex["frame"]) == [0] * (len(fex) - 1) + [1] and math.isnan(fex["anger"].iloc[-1])
    assert fex.emotions.iloc[0].sum() == pytest.approx(1, abs=1e-5)
    assert type(fex[fex["frame"] == 0]) is type(fex) and list(fex.inputs)[-1] == str(nobody)
    video = Detector().detect_video(str(clip), skip_frames=3)
    assert sorted(set(video["frame"])) == [0, 3] and set(video["approx_time"]) == {"00:00"}


def test_what_is_not_done_is_said(bgr: numpy.ndarray) -> None:
    with pytest.warns(UserWarning, match="FER: no effect in fer_rs: mtcnn"):
        FER(mtcnn=True)
    with pytest.raises(FerError, match="addresses are not fetched"):
        FER().detect_emotions("https://example.org/photo.jpg")
    with pytest.raises(FileNotFoundError):
        Video("nowhere.mp4")
