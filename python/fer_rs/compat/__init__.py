"""The shapes of other packages, read by fer: changing one import moves a script over.

In: their calls. Out: their shapes. Numbers are fer's own, and so are the faces that are found.

| was | is |
|---|---|
| `from fer.fer import FER` | `from fer_rs.compat import FER` |
| `from fer.classes import Video` | `from fer_rs.compat import Video` |
| `from deepface import DeepFace` | `from fer_rs.compat import DeepFace` |
| `from feat import Detector` | `from fer_rs.compat import Detector` (needs pandas) |
"""

from typing import TYPE_CHECKING, Any

from . import deepface as DeepFace
from .fer import FER, Video

if TYPE_CHECKING:
    from .feat import Detector, Fex

__all__ = ["FER", "DeepFace", "Detector", "Fex", "Video"]


def __getattr__(name: str) -> Any:
    # These are made of pandas, which nothing else needs.
    if name in ("Detector", "Fex"):
        from . import feat

        return getattr(feat, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
