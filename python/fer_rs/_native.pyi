"""The compiled core; use it through `fer_rs`."""

from collections.abc import Sequence
from typing import TypeAlias

FaceRow: TypeAlias = tuple[
    tuple[float, float, float, float], float | None, int | None, float, list[float], list[float], int, bool
]
"""Box, score, label, confidence, probabilities, smoothed probabilities, track, held."""

PictureRow: TypeAlias = tuple[int, int, list[FaceRow]]
"""Width, height, faces."""

__version__: str
MODELS: list[str]
FER2013: list[str]

def has_picture_name(path: str) -> bool:
    """Whether a file is a picture by the ending of its name."""

def columns(labels: list[str]) -> list[str]:
    """The columns of readings as a table, as fer-live names them."""

def recorded_name(text: str) -> str:
    """A text as a cell of such a table, which no spreadsheet takes for a formula."""

class NativeReader:
    def __new__(cls, options: dict[str, object]) -> NativeReader: ...
    def labels(self) -> list[str]: ...
    def card(self) -> str: ...
    def read(
        self,
        images: Sequence[object],
        channels: str | None,
        boxes: Sequence[Sequence[tuple[float, float, float, float]] | None] | None,
    ) -> list[PictureRow | Exception]: ...

class NativeTracker:
    def __new__(
        cls,
        reader: NativeReader,
        half_life: float | None = None,
        margin: float | None = None,
        search_every: float | None = None,
    ) -> NativeTracker: ...
    def update(self, image: object, time: float, channels: str | None) -> list[FaceRow]: ...
