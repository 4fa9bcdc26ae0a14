"""What can go wrong: the product's own words, as exceptions.

In: a text that says where, what was expected and what was found. Out: an exception that two kinds of `except` catch.
"""

__all__ = ["DetectorError", "FerError", "MissingPackageError", "ModelError", "OptionError", "PictureError", "PictureNotFoundError"]


class FerError(Exception):
    """Any error of fer."""


class OptionError(FerError, ValueError):
    """An argument makes no sense, alone or with another one."""


class PictureError(FerError, ValueError):
    """A picture or a video that cannot be read, is damaged, or is none."""


class PictureNotFoundError(PictureError, FileNotFoundError):
    """There is no such file."""


class DetectorError(FerError, ValueError):
    """The face detector, or its file, cannot be used."""


class ModelError(FerError, ValueError):
    """A model folder is none, is damaged, or is not the one its card describes."""


class MissingPackageError(FerError, ImportError):
    """What was asked for needs a package that is not installed."""
