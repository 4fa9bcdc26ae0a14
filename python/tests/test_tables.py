"""Rows, pandas and Arrow."""

import io
from pathlib import Path

import numpy
import pytest

from fer_rs import OptionError, Reader, columns, rows, to_arrow, to_pandas, write_csv


def test_every_picture_has_a_row(reader: Reader, photos: Path) -> None:
    paths = sorted(str(path) for path in photos.iterdir())
    found = list(rows(reader.read_batch(paths), paths))
    assert [list(row) for row in found] == [columns()] * len(found)
    assert list(dict.fromkeys(row["input"] for row in found)) == paths
    [empty] = [row for row in found if not row["success"]]
    assert empty["input"].endswith("no-face.png") and empty["label"] is None and empty["x"] is None
    with pytest.raises(OptionError, match="expected a name for each picture"):
        list(rows([[], []], ["one"]))


def test_pandas_and_arrow_hold_the_same_rows(reader: Reader, photos: Path) -> None:
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    paths = sorted(str(path) for path in photos.iterdir())
    results = reader.read_batch(paths)
    frame, table = to_pandas(results, paths), to_arrow(results, paths)
    assert list(frame.columns) == table.column_names == columns()
    assert len(frame) == table.num_rows == len(list(rows(results, paths)))
    numpy.testing.assert_allclose(frame["happy"].astype(float), table["happy"].to_pandas(), atol=1e-6)
    assert to_arrow([]).schema == table.schema, "types do not depend on what was found"
    assert isinstance(frame, pandas.DataFrame) and isinstance(table, arrow.Table)


def test_no_name_is_a_formula() -> None:
    file = io.StringIO(newline="")
    write_csv([[]] * 4, file, ["=1+1", "x;=1.jpg", "a\t@b", "-"], ["-up"])
    header, *lines = file.getvalue().splitlines()
    assert header.split(",")[10] == "'-up"
    assert [line.split(",")[0] for line in lines] == ["'=1+1", "x;'=1.jpg", "a\t'@b", "-"]
