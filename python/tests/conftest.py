"""Drawn pictures, and the native program. In: the repository. Out: fixtures."""

import os
import subprocess
from pathlib import Path

import numpy
import pytest
from PIL import Image

from fer_rs import Reader

ROOT = Path(__file__).resolve().parents[2]
DRAWN = ROOT / "docs/images/drawn-faces.png"


@pytest.fixture(scope="session")
def drawn() -> numpy.ndarray:
    """Drawn people, RGB."""
    return numpy.asarray(Image.open(DRAWN).convert("RGB"))


@pytest.fixture(scope="session")
def photos(drawn: numpy.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn pictures: as they are, mirrored, dark, grey, enlarged, and one without a face."""
    folder = tmp_path_factory.mktemp("photos")
    height, width = drawn.shape[:2]
    pictures = {
        "as-is": drawn,
        "mirrored": drawn[:, ::-1],
        "dark": drawn // 2,
        "grey": numpy.asarray(Image.fromarray(drawn).convert("L")),
        "larger": numpy.asarray(Image.fromarray(drawn).resize((width * 3 // 2, height * 3 // 2))),
        "no-face": numpy.full((240, 320, 3), 90, numpy.uint8),
    }
    for name, picture in pictures.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="session")
def native() -> Path:
    """The program fer-live; scripts/test-python builds it where it is missing."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = target / "release/fer-live"
    assert program.is_file(), f"{program} is missing: cargo build --release -p fer-live, or run scripts/test-python"
    return program


def run(*words: object, **options: object) -> subprocess.CompletedProcess:
    """Runs a program to its end."""
    return subprocess.run([str(word) for word in words], capture_output=True, timeout=300, **options)
