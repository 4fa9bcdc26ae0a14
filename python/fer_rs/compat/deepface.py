"""The shape of `deepface` (0.0.103): `DeepFace.analyze` for the action `emotion`.

In: its call. Out: `[{"emotion": {…, percent}, "dominant_emotion": …, "region": {…}, "face_confidence": …}]`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from ..errors import FerError, OptionError
from ..faces import Face
from ..reader import Reader
from .pictures import DEFAULT, read, unused

__all__ = ["FaceNotDetected", "analyze"]

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

SURE_SCORE = 20.0
"""A face that so many windows of the cascade agree on is hardly ever none; YuNet's score is one by itself."""


class FaceNotDetected(FerError, ValueError):
    """There is no face in the picture."""


@functools.cache
def _shared() -> Reader:
    return Reader()


def analyze(
    img_path: Any,
    actions: str | Sequence[str] = ("emotion",),
    enforce_detection: bool = True,
    detector_backend: str = "opencv",
    align: Any = DEFAULT,
    expand_percentage: Any = DEFAULT,
    silent: bool = False,
    anti_spoofing: bool = False,
    *,
    reader: Reader | None = None,
) -> list[Any]:
    """The faces of a picture (a BGR array, a path, an open file, base64 text); of a list, a list each.

    `detector_backend="skip"` takes the whole picture for a face; all others find faces as `Reader` does.

    Raises:
        FaceNotDetected: No face, and `enforce_detection`.
        OptionError: An action other than `emotion` was asked for, or `anti_spoofing`.
    """
    unused("analyze", align=align, expand_percentage=expand_percentage)
    wanted = [actions] if isinstance(actions, str) else list(actions)
    if wanted != ["emotion"]:
        raise OptionError(f"actions: expected [\"emotion\"], found {wanted}: fer reads no age, gender or race")
    if anti_spoofing:
        raise OptionError("anti_spoofing: expected False: fer does not tell a face from its picture")
    reader = reader or _shared()
    if isinstance(img_path, list) or getattr(img_path, "ndim", 0) == 4:
        return [_analyze(image, enforce_detection, detector_backend, reader) for image in img_path]
    return _analyze(img_path, enforce_detection, detector_backend, reader)


def _analyze(image: Any, enforce_detection: bool, backend: str, reader: Reader) -> list[dict[str, Any]]:
    image = image.read() if hasattr(image, "read") else image
    found = read(reader, image)
    if backend != "skip" and found:
        return [_face(face) for face in found]
    if backend != "skip" and enforce_detection:
        name = image if isinstance(image, str) and not image.startswith("data:") else "the picture"
        raise FaceNotDetected(
            f"Face could not be detected in {name}. Please confirm that the picture is a face photo "
            "or consider to set enforce_detection param to False."
        )
    return [_face(face) for face in read(reader, image, [(0, 0, found.width, found.height)])]


def _face(face: Face) -> dict[str, Any]:
    percent = {emotion: 100 * face.probabilities[emotion] for emotion in EMOTIONS}
    x, y, width, height = (round(value) for value in face.box)
    score = face.score or 0.0
    return {
        "emotion": percent,
        "dominant_emotion": max(percent, key=percent.__getitem__),
        "region": {"x": x, "y": y, "w": width, "h": height, "left_eye": None, "right_eye": None},
        "face_confidence": round(score if score <= 1 else min(1.0, score / SURE_SCORE), 2),
    }
