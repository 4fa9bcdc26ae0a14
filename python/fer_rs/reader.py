"""Pictures to faces.

In: arrays, paths, or the bytes of picture files. Out: `Faces`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from . import faces
from ._native import NativeReader
from .errors import FerError, OptionError
from .faces import Faces

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Image: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[numpy.uint8]
    Channels: TypeAlias = Literal["RGB", "BGR"]
    Boxes: TypeAlias = Iterable[Sequence[float]]

__all__ = ["Reader"]


class Reader:
    """Finds and reads the faces of pictures.

    A reader may be shared by threads: the interpreter's lock is released while it reads.
    It may be pickled, and it survives a fork.

    Args:
        model: `"tiny"` or `"small"`, which are in the package, or a model's folder.
        yunet: The file `face_detection_yunet_2023mar.onnx` of opencv_zoo, to find faces by YuNet, which sees turned
            and smaller ones too. Without it they are found by OpenCV's frontal-face Haar cascade.
        search_side: The longest side a picture is scaled down to for the search, 48 to 4096 pixels; larger finds
            smaller faces, slower. As fer-live: 1024 for pictures, 320 for frames.
        smallest_face: Width of the smallest face to find, in the picture's pixels.
        neighbours: How many windows of the cascade must agree on a face.
        scale_factor: Step from one face size to the next, above 1 and up to 2.
        crop_factor: Side of the network's crop relative to the box; as the model was trained, unless given.
        align: Turn each crop so that the eyes are level; with `yunet`, which finds eyes.
        uncertain_below: A face whose largest probability is not above this, 0 to 1, has no label (half a
            `Tracker`'s margin more is asked for).
        threads: How many threads read; 0 for one a core.

    Raises:
        OptionError: An argument is out of range.
        ModelError: The model folder cannot be used.
        DetectorError: The detector's file cannot be used.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "small",
        *,
        yunet: str | os.PathLike[str] | None = None,
        search_side: int | None = None,
        smallest_face: int | None = None,
        neighbours: int | None = None,
        scale_factor: float | None = None,
        crop_factor: float | None = None,
        align: bool = False,
        uncertain_below: float | None = None,
        threads: int = 0,
    ) -> None:
        self._options: dict[str, Any] = {
            "model": os.fspath(model),
            "yunet": yunet,
            "search_side": search_side,
            "smallest_face": smallest_face,
            "neighbours": neighbours,
            "scale_factor": scale_factor,
            "crop_factor": crop_factor,
            "align": align,
            "uncertain_below": uncertain_below,
            "threads": threads,
        }
        self._native = NativeReader(self._options)
        self._labels = tuple(self._native.labels())

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities."""
        return self._labels

    @property
    def card(self) -> dict[str, Any]:
        """The model's card: what it is, how it was trained, how good it is."""
        import json

        card: dict[str, Any] = json.loads(self._native.card())
        return card

    def read(self, image: Image, *, channels: Channels | None = None, boxes: Boxes | None = None) -> Faces:
        """Reads the faces of one picture, left to right.

        Args:
            image: A uint8 array of shape (height, width, 3) or (height, width), a path, or the bytes of a picture
                file (JPEG, PNG, BMP, GIF, TIFF, WebP or PNM, turned upright as its EXIF orientation says).
            channels: The order of a colour array, `"RGB"` or `"BGR"` (OpenCV's); it must be said.
            boxes: Your own boxes (x, y, width, height), in pixels; one face each, in their order.

        Raises:
            OptionError: The array, the boxes or the order of colours are not usable.
            PictureError: The file cannot be read; PictureNotFoundError: it is not there.
        """
        [read] = self.read_batch([image], channels=channels, boxes=None if boxes is None else [boxes])
        return read

    @overload
    def read_batch(
        self,
        images: Iterable[Image],
        *,
        channels: Channels | None = None,
        boxes: Iterable[Boxes | None] | None = None,
        on_error: Literal["raise"] = "raise",
    ) -> list[Faces]: ...

    @overload
    def read_batch(
        self,
        images: Iterable[Image],
        *,
        channels: Channels | None = None,
        boxes: Iterable[Boxes | None] | None = None,
        on_error: Literal["return"],
    ) -> list[Faces | FerError]: ...

    def read_batch(
        self,
        images: Iterable[Image],
        *,
        channels: Channels | None = None,
        boxes: Iterable[Boxes | None] | None = None,
        on_error: str = "raise",
    ) -> list[Any]:
        """Reads the faces of many pictures: found side by side, then read in one call of the network.

        Args:
            images: Pictures as for `read`, each of any size.
            channels: The order of all colour arrays, `"RGB"` or `"BGR"`.
            boxes: For each picture its own boxes, or None to find its faces.
            on_error: `"raise"`, or `"return"` to have a damaged picture's exception in its place in the list.

        Raises:
            As `read`; with `on_error="return"` only what no picture is to blame for.
        """
        if on_error not in ("raise", "return"):
            raise OptionError(f'on_error: expected "raise" or "return", found {on_error!r}')
        own = None if boxes is None else [None if of_one is None else [_box(box) for box in of_one] for of_one in boxes]
        outcomes = self._native.read([plain(image) for image in images], channels, own)
        if on_error == "raise":
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome
        return [
            outcome if isinstance(outcome, Exception) else faces.faces(outcome, self._labels) for outcome in outcomes
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        return (_reader, (self._options,))

    def __repr__(self) -> str:
        given = {name: value for name, value in self._options.items() if value not in (None, False, 0)}
        return f"Reader({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def _reader(options: dict[str, Any]) -> Reader:
    return Reader(**options)


def _box(box: Sequence[float]) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = box
        return (float(x), float(y), float(width), float(height))
    except (TypeError, ValueError):
        raise OptionError(f"boxes: expected x, y, width, height, found {box!r}") from None


def plain(image: object) -> object:
    """The picture as the compiled core takes it; what is like an array becomes one."""
    if isinstance(image, (str, bytes, bytearray)):
        return image
    if isinstance(image, memoryview):
        return bytes(image)
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        import numpy

        return numpy.asarray(image)
    return image
