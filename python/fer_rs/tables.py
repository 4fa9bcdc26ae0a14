"""Readings to rows, for pandas, Arrow and CSV; neither package is required.

In: the faces of pictures, or the frames of a video. Out: one row a face, in the columns of fer-live's CSV; a picture
without a face is a row with `success` 0.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias, cast

from . import _native
from .errors import FerError, MissingPackageError, OptionError
from .faces import Face, Frame, TrackedFace

if TYPE_CHECKING:
    import pandas
    import pyarrow

    Row: TypeAlias = dict[str, Any]
    Results: TypeAlias = Iterable[Sequence[Face] | Frame | FerError]

__all__ = ["columns", "rows", "to_arrow", "to_pandas", "write_csv"]

FER2013 = tuple(_native.FER2013)
"""The labels of the models in the package, for tables without a face."""


def columns(labels: Sequence[str] = FER2013) -> list[str]:
    """The columns' names: place and time, raw probabilities, smoothed ones, label and confidence."""
    return _native.columns(list(labels))


def rows(results: Results, inputs: Iterable[str] | str = "", labels: Sequence[str] = FER2013) -> Iterator[Row]:
    """One row a face; what is not known is None.

    Args:
        results: What `read_batch` or `read_video` gave; also any faces, one sequence a picture. A damaged picture's
            exception has no row.
        inputs: What the pictures are called, one name each, or one name for all.
        labels: The reader's labels, for pictures without a face.
    """
    names = iter(inputs) if not isinstance(inputs, str) else None
    nothing: Row = dict.fromkeys(columns(labels))
    for position, result in enumerate(results):
        name = inputs if names is None else next(names, None)
        if name is None:
            raise OptionError(f"inputs: expected a name for each picture, found {position}")
        if isinstance(result, FerError):
            continue
        frame = result if isinstance(result, Frame) else None
        faces = cast("Sequence[Face]", frame.faces if frame else result)
        place: Row = {
            "input": name,
            "frame": frame.index if frame else position,
            "timestamp_ms": frame.time * 1000 if frame else 0.0,
        }
        found = [face for face in faces if not (isinstance(face, TrackedFace) and face.held)]
        for number, face in enumerate(found, 1):
            yield place | _face_cells(face, number)
        if not found:
            yield nothing | place | {"success": 0}


def _face_cells(face: Face, number: int) -> Row:
    tracked = face if isinstance(face, TrackedFace) else None
    smooth = tracked.smooth if tracked else face.probabilities
    x, y, width, height = face.box
    return (
        {"success": 1, "track": tracked.track if tracked else number}
        | {"x": x, "y": y, "w": width, "h": height, "score": face.score}
        | face.probabilities
        | {f"smooth_{label}": probability for label, probability in smooth.items()}
        | {"label": face.label, "confidence": face.confidence}
    )


def to_pandas(results: Results, inputs: Iterable[str] | str = "", labels: Sequence[str] = FER2013) -> pandas.DataFrame:
    """The rows as a pandas DataFrame, in the order of `columns`.

    Raises:
        MissingPackageError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingPackageError("to_pandas needs pandas: pip install pandas") from error
    return pandas.DataFrame(list(rows(results, inputs, labels)), columns=columns(labels))


def to_arrow(results: Results, inputs: Iterable[str] | str = "", labels: Sequence[str] = FER2013) -> pyarrow.Table:
    """The rows as an Arrow table, whose types do not depend on what was found.

    Raises:
        MissingPackageError: pyarrow is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise MissingPackageError("to_arrow needs pyarrow: pip install pyarrow") from error
    kinds = {"input": pyarrow.string(), "label": pyarrow.string(), "timestamp_ms": pyarrow.float64()}
    kinds |= {"frame": pyarrow.int64(), "success": pyarrow.int8(), "track": pyarrow.int64()}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.float32())) for name in columns(labels)])
    return pyarrow.Table.from_pylist(list(rows(results, inputs, labels)), schema=schema)


def write_csv(
    results: Results, file: TextIO, inputs: Iterable[str] | str = "", labels: Sequence[str] = FER2013
) -> None:
    """Writes the rows as fer-live writes them, to the byte; open the file with `newline=""`."""
    writer = csv.writer(file, lineterminator="\n")
    names = columns(labels)
    writer.writerow([_native.recorded_name(name) for name in names])
    for row in rows(results, inputs, labels):
        writer.writerow([_cell(name, row[name]) for name in names])


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if name == "timestamp_ms":
        return f"{value:.3f}"
    if isinstance(value, float):
        return f"{value:.2f}" if name in ("x", "y", "w", "h", "score") else f"{value:.6f}"
    return _native.recorded_name(str(value))
