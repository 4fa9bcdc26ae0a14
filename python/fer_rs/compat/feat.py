"""The shape of `py-feat` (2.1): `Detector.detect` and a `Fex` table, for boxes and emotions. Needs pandas.

In: its calls. Out: its columns, one row a face; a picture without a face is a row without numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..errors import MissingPackageError, OptionError
from ..faces import Face
from ..reader import Reader
from ..video import frames
from .pictures import DEFAULT, read, unused

try:
    import pandas
except ImportError as error:
    raise MissingPackageError("fer_rs.compat.feat needs pandas: pip install pandas") from error

__all__ = ["Detector", "Fex"]

EMOTIONS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""py-feat's columns, and our labels."""

FACEBOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]

COLUMNS = [*FACEBOX, *EMOTIONS, "input", "frame", "approx_time"]


class Fex(pandas.DataFrame):
    """A table of faces with py-feat's names."""

    @property
    def _constructor(self) -> type[Fex]:
        return Fex

    @property
    def emotions(self) -> pandas.DataFrame:
        """The probabilities of the seven emotions."""
        return self[list(EMOTIONS)]

    @property
    def faceboxes(self) -> pandas.DataFrame:
        """The boxes, and the detector's score."""
        return self[FACEBOX]

    @property
    def inputs(self) -> pandas.Series[Any]:
        """The pictures' or videos' names."""
        return self["input"]

    @property
    def time(self) -> pandas.DataFrame:
        """The frames' positions."""
        return self[["frame"]]


class Detector:
    """Finds and reads faces as `feat.Detector` does; no landmarks, action units, poses or identities."""

    def __init__(self, *, reader: Reader | None = None, **models: Any) -> None:
        unused("Detector", **models)
        self.reader = reader or Reader()

    def detect(
        self,
        inputs: Any,
        data_type: str = "image",
        output_size: Any = DEFAULT,
        batch_size: int = 1,
        num_workers: Any = DEFAULT,
        pin_memory: Any = DEFAULT,
        face_identity_threshold: Any = DEFAULT,
        face_detection_threshold: Any = DEFAULT,
        skip_frames: int | None = None,
        progress_bar: Any = DEFAULT,
        **other: Any,
    ) -> Fex:
        """The faces of a picture, of a list of pictures, or of every `skip_frames`-th frame of a video."""
        unused(
            "detect",
            output_size=output_size,
            num_workers=num_workers,
            pin_memory=pin_memory,
            face_identity_threshold=face_identity_threshold,
            face_detection_threshold=face_detection_threshold,
            progress_bar=progress_bar,
            **other,
        )
        if data_type == "video":
            return Fex(list(self._video(inputs, skip_frames or 1)), columns=COLUMNS)
        if data_type != "image":
            raise OptionError(f'data_type: expected "image" or "video", found {data_type!r}')
        images = inputs if isinstance(inputs, list) else [inputs]
        rows = [row for index, image in enumerate(images) for row in self._picture(image, index)]
        return Fex(rows, columns=COLUMNS)

    detect_image = detect

    def detect_video(self, inputs: Any, skip_frames: int | None = None, **other: Any) -> Fex:
        """`detect` with `data_type="video"`."""
        return self.detect(inputs, "video", skip_frames=skip_frames, **other)

    def _picture(self, image: Any, index: int) -> Iterator[dict[str, Any]]:
        name = os.fspath(image) if isinstance(image, (str, os.PathLike)) else None
        yield from _rows(read(self.reader, image), {"input": name, "frame": index})

    def _video(self, path: Any, every: int) -> Iterator[dict[str, Any]]:
        for index, (picture, time, channels) in enumerate(frames(path)):
            if index % every == 0:
                clock = f"{int(time // 60):02d}:{int(time % 60):02d}"
                place = {"input": os.fspath(path), "frame": index, "approx_time": clock}
                yield from _rows(self.reader.read(picture, channels=channels), place)


def _rows(faces: list[Face], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not faces:
        yield place
    for face in faces:
        box = dict(zip(FACEBOX, [*face.box, face.score]))
        emotions = {name: face.probabilities[label] for name, label in EMOTIONS.items()}
        yield box | emotions | place
