"""What other packages take as a picture.

In: a BGR or grey array, a path, an open file, or base64 text. Out: what `Reader` takes, its size, and what was unused.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import OptionError
from ..faces import Faces
from ..reader import Reader

if TYPE_CHECKING:
    from ..reader import Boxes

__all__ = ["DEFAULT", "read", "unused"]

DEFAULT: Any = object()
"""Stands for an argument that was not given."""


def read(reader: Reader, image: Any, boxes: Boxes | None = None) -> Faces:
    """Reads a picture as other packages take it: arrays are BGR."""
    return reader.read(_plain(image), channels="BGR", boxes=boxes)


def _plain(image: Any) -> Any:
    if isinstance(image, str) and image.startswith("data:"):
        try:
            return base64.b64decode(image.partition(",")[2], validate=True)
        except binascii.Error as error:
            raise OptionError("image: expected base64 after data:…,") from error
    if isinstance(image, str) and image.startswith(("http://", "https://")):
        raise OptionError(f"{image}: addresses are not fetched; fetch it, and give its bytes")
    return image.read() if hasattr(image, "read") else image


def unused(call: str, **given: Any) -> None:
    """Says which arguments have no effect here, once a call that gave them."""
    names = [name for name, value in given.items() if value is not DEFAULT]
    if names:
        warnings.warn(f"{call}: no effect in fer_rs: {', '.join(names)}", stacklevel=3)
