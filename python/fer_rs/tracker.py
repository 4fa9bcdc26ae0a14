"""Frames to followed faces.

In: one source's frames and their times. Out: `TrackedFace`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import faces
from ._native import NativeTracker
from .faces import TrackedFace
from .reader import Reader, plain

if TYPE_CHECKING:
    from .reader import Channels, Image

__all__ = ["Tracker"]


class Tracker:
    """Follows the faces of one video or camera; one tracker a source.

    Args:
        reader: What finds and reads the faces; `Reader()` unless given. Trackers may share one.
        half_life: Seconds after which half of a smoothed probability comes from what was seen since; 0 for none.
        margin: How much surer, 0 to 1, another label must be to replace the shown one.
        search_every: The whole frame is searched this often, in seconds; between, only near known faces.

    Raises:
        OptionError: An argument is out of range.
    """

    def __init__(
        self,
        reader: Reader | None = None,
        *,
        half_life: float | None = None,
        margin: float | None = None,
        search_every: float | None = None,
    ) -> None:
        reader = reader or Reader()
        self._labels = reader.labels
        self._native = NativeTracker(reader._native, half_life, margin, search_every)

    def update(self, frame: Image, time: float, *, channels: Channels | None = None) -> list[TrackedFace]:
        """The faces of the source's next frame, by track.

        A face that is hardly one is shown after it was found in several frames; it has a label after three.

        Args:
            frame: As for `Reader.read`.
            time: When it was taken, in seconds; never less than the last frame's.
            channels: The order of a colour array, `"RGB"` or `"BGR"`; it must be said.

        Raises:
            As `Reader.read`; OptionError also when the time goes back.
        """
        return [faces.tracked_face(row, self._labels) for row in self._native.update(plain(frame), time, channels)]
