"""What is read: faces, pictures and frames.

In: the plain tuples of `fer_rs._native`. Out: objects with names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._native import FaceRow, PictureRow

__all__ = ["Box", "Face", "Faces", "Frame", "TrackedFace"]


class Box(NamedTuple):
    """A face's rectangle, in the pixels of the picture; it may reach over the border."""

    x: float
    """Left edge."""
    y: float
    """Top edge."""
    width: float
    """Width, above 0."""
    height: float
    """Height, above 0."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of one picture."""

    box: Box
    """Where it is."""
    probabilities: dict[str, float]
    """The calibrated probability of each label, summing to 1, in the model's order."""
    label: str | None
    """The most probable label, or None when none is probable enough: the face is uncertain."""
    confidence: float
    """The probability of the label, or the largest one when the face is uncertain."""
    score: float | None
    """The detector's own score; larger is surer. None for a box of your own."""


@dataclass(frozen=True, slots=True)
class TrackedFace(Face):
    """One face of one frame; label and confidence are those of `smooth`."""

    track: int
    """The face's number over frames, from 1."""
    smooth: dict[str, float]
    """The probabilities, smoothed over the track's past."""
    held: bool
    """Whether the face was not found in this frame and only its track goes on: the box is where it is expected,
    the probabilities are its last ones."""


class Faces(list[Face]):
    """The faces of one picture, left to right, and the picture's size."""

    __slots__ = ("height", "width")

    def __init__(self, faces: list[Face], width: int, height: int) -> None:
        super().__init__(faces)
        self.width = width
        """The picture's width in pixels, once turned upright."""
        self.height = height
        """The picture's height in pixels."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Faces, (list(self), self.width, self.height))


@dataclass(frozen=True, slots=True)
class Frame:
    """The faces of one frame of a video."""

    index: int
    """The frame's position in the video, from 0."""
    time: float
    """Seconds since the video's first frame."""
    faces: list[TrackedFace]
    """The faces, by track."""


def face(row: FaceRow, labels: tuple[str, ...]) -> Face:
    """One face of a picture alone."""
    box, score, label, confidence, probabilities, *_ = row
    named = dict(zip(labels, probabilities))
    return Face(Box(*box), named, None if label is None else labels[label], confidence, score)


def tracked_face(row: FaceRow, labels: tuple[str, ...]) -> TrackedFace:
    """One face of a frame."""
    box, score, label, confidence, probabilities, smooth, track, held = row
    named, smoothed = dict(zip(labels, probabilities)), dict(zip(labels, smooth))
    shown = None if label is None else labels[label]
    return TrackedFace(Box(*box), named, shown, confidence, score, track, smoothed, held)


def faces(picture: PictureRow, labels: tuple[str, ...]) -> Faces:
    """The faces of a picture alone."""
    width, height, rows = picture
    return Faces([face(row, labels) for row in rows], width, height)
