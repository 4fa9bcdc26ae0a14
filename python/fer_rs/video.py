"""Video files to frames of faces, over PyAV or OpenCV, whichever is installed.

In: a path. Out: a `Frame` after the other; the memory does not grow with the video.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .errors import MissingPackageError, OptionError, PictureError, PictureNotFoundError
from .faces import Frame
from .reader import Reader
from .tracker import Tracker

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Backend: TypeAlias = Literal["av", "cv2"]
    Decoded: TypeAlias = tuple[NDArray[numpy.uint8], float, Literal["RGB", "BGR"]]

__all__ = ["frames", "read_video"]


def read_video(
    path: str | os.PathLike[str],
    reader: Reader | None = None,
    *,
    every: int = 1,
    backend: Backend | None = None,
    **tracking: float,
) -> Iterator[Frame]:
    """Reads a video's frames one after the other.

    Args:
        path: The video file.
        reader: What reads the faces; `Reader()` unless given.
        every: Read every n-th frame.
        backend: `"av"` (PyAV) or `"cv2"` (OpenCV); unless given, the first that is installed.
        tracking: Arguments of `Tracker`: `half_life`, `margin`, `search_every`.

    Raises:
        MissingPackageError: Neither PyAV nor OpenCV is installed.
        PictureError: The file is no video that can be read; PictureNotFoundError: it is not there.
    """
    if every < 1:
        raise OptionError(f"every: expected 1 or more, found {every}")
    tracker = Tracker(reader, **tracking)
    decoded = frames(path, backend=backend)
    # Opens the file now: who asks for a file that is not there is told at once.
    first = next(decoded, None)
    if first is None:
        raise PictureError(f"{os.fspath(path)}: no frame in it")
    return _read(first, decoded, tracker, every)


def _read(first: Decoded, rest: Iterator[Decoded], tracker: Tracker, every: int) -> Iterator[Frame]:
    start = latest = first[1]
    index = 0
    decoded: Decoded | None = first
    while decoded is not None:
        picture, time, channels = decoded
        # Some files have frames out of order or without times.
        latest = max(latest, time)
        if index % every == 0:
            yield Frame(index, latest - start, tracker.update(picture, latest - start, channels=channels))
        index += 1
        decoded = next(rest, None)


def frames(path: str | os.PathLike[str], *, backend: Backend | None = None) -> Iterator[Decoded]:
    """A video's pictures, their times in seconds, and the order of their colours.

    Raises:
        As `read_video`, when the first frame is asked for.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise PictureNotFoundError(f"{path}: cannot be read: no such file")
    name = backend or _installed()
    if name == "av":
        return _with_av(path)
    if name == "cv2":
        return _with_cv2(path)
    raise OptionError(f'backend: expected "av" or "cv2", found {name!r}')


def _installed() -> str:
    from importlib.util import find_spec

    for name in ("av", "cv2"):
        if find_spec(name) is not None:
            return name
    raise MissingPackageError(
        "videos are decoded by PyAV or OpenCV, and neither is installed: pip install av, or hand frames to a Tracker"
    )


def _with_av(path: str) -> Iterator[Decoded]:
    import av
    import numpy

    try:
        container: Any = av.open(path)
    except (av.FFmpegError, OSError) as error:
        raise PictureError(f"{path}: not a video that can be read: {error}") from error
    with container:
        if not container.streams.video:
            raise PictureError(f"{path}: no pictures in it, only sound")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or 25)
        try:
            for index, frame in enumerate(container.decode(stream)):
                time = index / rate if frame.time is None else frame.time
                # As the display matrix says, counterclockwise; OpenCV turns by itself.
                quarters = round(getattr(frame, "rotation", 0) / 90) % 4
                yield numpy.rot90(frame.to_ndarray(format="rgb24"), quarters), time, "RGB"
        except av.FFmpegError as error:
            raise PictureError(f"{path}: damaged: {error}") from error


def _with_cv2(path: str) -> Iterator[Decoded]:
    import cv2

    capture: Any = cv2.VideoCapture(path)
    try:
        if not capture.isOpened():
            raise PictureError(f"{path}: not a video that OpenCV can read")
        while True:
            there, picture = capture.read()
            if not there:
                return
            yield picture, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, "BGR"
    finally:
        capture.release()
