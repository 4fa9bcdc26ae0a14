"""The command `fer-rs`."""

import csv
import json
import sys
from pathlib import Path

from conftest import run


def test_a_folder_becomes_a_table(photos: Path) -> None:
    told = run("fer-rs", photos)
    lines = told.stdout.decode().splitlines()
    assert told.returncode == 0 and told.stderr == b""
    assert lines[0].startswith(str(photos / "as-is.png")) and "faces" in lines[0]
    assert "apparent expression" in lines[1] and lines[-1].endswith("320×240, no face found")


def test_csv_and_json_hold_every_photo(photos: Path, tmp_path: Path) -> None:
    table, document = tmp_path / "out.csv", tmp_path / "out.json"
    words = [photos, "--csv", table, "--json", document, "--quiet", "--model", "tiny"]
    told = run(sys.executable, "-m", "fer_rs", *words, cwd=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")
    rows = list(csv.DictReader(table.open(newline="")))
    photos_read = json.loads(document.read_text())
    assert len(photos_read) == 6 and len(rows) == sum(max(1, len(photo["faces"])) for photo in photos_read)
    face = photos_read[0]["faces"][0]
    assert set(face) == {"face", "box", "probabilities", "label", "confidence"} and len(face["probabilities"]) == 7


def test_exit_codes_say_what_went_wrong(photos: Path, tmp_path: Path) -> None:
    good = photos / "as-is.png"
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "empty").mkdir()
    for words, code, text in [
        ([tmp_path / "bad.jpg", good], 3, "bad.jpg: "),
        ([tmp_path / "nowhere.jpg"], 3, "nowhere.jpg: cannot be read: No such file"),
        ([tmp_path / "empty"], 3, "no photos there"),
        ([good, "--model", "huge"], 2, "model: expected tiny or small"),
        ([good, "--model", tmp_path], 4, "no model card in"),
        ([good, "--yunet", good], 2, "not a YuNet"),
        ([good, "--csv", tmp_path / "no" / "x.csv"], 5, "is the folder there and writable?"),
        ([good, "--csv", good], 2, "the input is there too; choose another"),
        ([good, "--csv", "-", "--json", "-"], 2, "--json is there too"),
        ([good, "--batch", "0"], 2, "--batch: expected 1 or more"),
    ]:
        told = run("fer-rs", *words)
        assert (told.returncode, text in told.stderr.decode()) == (code, True), (words, told)
        assert told.stderr.startswith(b"fer-rs: "), told.stderr
    both = run("fer-rs", tmp_path / "bad.jpg", good)
    assert str(good) in both.stdout.decode(), "a damaged photo does not stop the others"
