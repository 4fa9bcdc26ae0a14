"""Real-time facial-expression recognition: apparent expressions of the faces in pictures and videos.

>>> from fer_rs import Reader
>>> for face in Reader().read("photo.jpg"):
...     print(face.box, face.label, face.probabilities)

It says what a face looks like to others, never what somebody feels. Not for judging people.
"""

from ._native import MODELS, __version__
from .errors import (
    DetectorError,
    FerError,
    MissingPackageError,
    ModelError,
    OptionError,
    PictureError,
    PictureNotFoundError,
)
from .faces import Box, Face, Faces, Frame, TrackedFace
from .reader import Reader
from .tables import columns, rows, to_arrow, to_pandas, write_csv
from .tracker import Tracker
from .video import read_video

__all__ = [
    "MODELS",
    "Box",
    "DetectorError",
    "Face",
    "Faces",
    "FerError",
    "Frame",
    "MissingPackageError",
    "ModelError",
    "OptionError",
    "PictureError",
    "PictureNotFoundError",
    "Reader",
    "TrackedFace",
    "Tracker",
    "__version__",
    "columns",
    "read_video",
    "rows",
    "to_arrow",
    "to_pandas",
    "write_csv",
]
