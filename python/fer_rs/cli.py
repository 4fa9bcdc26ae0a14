"""The command `fer-rs`: photos and folders of photos to a table, CSV or JSON.

In: a command line. Out: what was asked for; an exit code of docs/exit-codes.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO, TypeAlias

from . import __version__
from ._native import MODELS, has_picture_name
from .errors import DetectorError, FerError, ModelError, OptionError, PictureNotFoundError
from .faces import Faces
from .reader import Reader
from .tables import write_csv

__all__ = ["main"]

USAGE, DATA, MODEL, OUTPUT, INTERRUPTED = 2, 3, 4, 5, 130

ABOUT = """\
Reads apparent facial expressions in photos.

It says what an expression looks like to others, never what somebody feels: faces do not tell that reliably.
Not for judging people."""

Outcome: TypeAlias = Faces | FerError


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    args = _parser().parse_args(words)
    try:
        return _run(args)
    except FerError as error:
        _say(str(error))
        return _code(error)
    except OSError as error:
        # Whoever reads standard output, such as `head`, may leave when it has had enough.
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        _say(f"{error.filename}: not written; is the folder there and writable?: {error.strerror}")
        return OUTPUT
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer-rs", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("inputs", nargs="+", metavar="PHOTO", help="a photo, or a folder of photos")
    add("--csv", metavar="FILE", help="write one row per face; - for standard output")
    add("--json", metavar="FILE", help="write one JSON document; - for standard output")
    add("--model", default="small", help=f"{' or '.join(MODELS)}, or a model's folder [default: small]")
    add("--yunet", metavar="FILE", help="find faces by YuNet: opencv_zoo's face_detection_yunet_2023mar.onnx")
    add("--search-side", type=int, metavar="PIXELS", help="longest side a photo is scaled down to for the search")
    add("--threads", type=int, default=0, metavar="N", help="how many threads read; 0 for one a core")
    add("--batch", type=int, default=16, metavar="N", help="photos that are read together [default: 16]")
    add("--quiet", "-q", action="store_true", help="no table")
    add("--version", action="version", version=f"fer-rs {__version__}")
    return parser


def _run(args: argparse.Namespace) -> int:
    if args.batch < 1 or args.threads < 0:
        raise OptionError("--batch: expected 1 or more, --threads: 0 or more")
    paths = list(_photos(args.inputs))
    # What cannot be written is said before anything is read.
    with contextlib.ExitStack() as files:
        _refuse_overlaps(paths, args)
        table, document = (_open(files, name) for name in (args.csv, args.json))
        reader = Reader(args.model, yunet=args.yunet, search_side=args.search_side, threads=args.threads)
        shows = not args.quiet and "-" not in (args.csv, args.json)
        failed: list[FerError] = []
        entries: list[dict[str, Any]] = []

        def outcomes() -> Iterator[Outcome]:
            for path, outcome in zip(paths, _read(reader, paths, args.batch)):
                if isinstance(outcome, FerError):
                    _say(str(outcome))
                    failed.append(outcome)
                else:
                    if shows:
                        print(text_table(path, outcome, reader.labels))
                    if document:
                        entries.append(_entry(path, outcome))
                yield outcome

        if table:
            write_csv(outcomes(), table, paths, reader.labels)
        else:
            for _ in outcomes():
                pass
        if document:
            json.dump(entries, document, indent=2, ensure_ascii=False)
            document.write("\n")
        sys.stdout.flush()
    return _code(failed[0]) if failed else 0


def _photos(inputs: Iterable[str]) -> Iterator[str]:
    for name in inputs:
        if not os.path.isdir(name):
            yield name
            continue
        found = sorted(entry.path for entry in os.scandir(name) if entry.is_file() and has_picture_name(entry.path))
        if not found:
            raise PictureNotFoundError(f"{name}: no photos there (jpg, png, bmp, gif, tiff, webp, pnm)")
        yield from found


def _refuse_overlaps(paths: list[str], args: argparse.Namespace) -> None:
    outputs = {"--csv": args.csv, "--json": args.json}
    given = [(option, name) for option, name in outputs.items() if name is not None]
    taken = [("the input", path) for path in paths]
    for option, name in given:
        for other, path in [*taken, *((known, file) for known, file in given if known != option)]:
            if name == path or (os.path.isfile(name) and os.path.exists(path) and os.path.samefile(name, path)):
                raise OptionError(f"{option} {name}: {other} is there too; choose another")


def _open(files: contextlib.ExitStack, name: str | None) -> TextIO | None:
    if name == "-":
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(newline="")
        return sys.stdout
    return files.enter_context(open(name, "w", encoding="utf-8", newline="")) if name else None


def _read(reader: Reader, paths: list[str], n_together: int) -> Iterator[Outcome]:
    for start in range(0, len(paths), n_together):
        yield from reader.read_batch(paths[start : start + n_together], on_error="return")


def text_table(path: str, faces: Faces, labels: Sequence[str]) -> str:
    """A photo's faces, one line each, as fer-live shows them."""
    counted = {0: "no face found", 1: "1 face"}.get(len(faces), f"{len(faces)} faces")
    lines = [f"{path}: {faces.width}×{faces.height}, {counted}"]
    if faces:
        heads = "".join(f" {label:>8}" for label in labels)
        lines.append(f"{'face':>4}  {'box':<22}{heads}  apparent expression")
    for number, face in enumerate(faces, 1):
        x, y, width, height = face.box
        place = f"{x:.0f},{y:.0f} {width:.0f}×{height:.0f}"
        cells = "".join(f" {face.probabilities[label]:>{max(8, len(label))}.3f}" for label in labels)
        lines.append(f"{number:>4}  {place:<22}{cells}  {face.label or 'uncertain'}")
    return "\n".join(lines)


def _entry(path: str, faces: Faces) -> dict[str, Any]:
    of_faces = [
        {
            "face": number,
            "box": {name: round(value, 2) for name, value in face.box._asdict().items()} | {"score": face.score},
            "probabilities": {label: round(value, 6) for label, value in face.probabilities.items()},
            "label": face.label,
            "confidence": round(face.confidence, 6),
        }
        for number, face in enumerate(faces, 1)
    ]
    return {"input": path, "width": faces.width, "height": faces.height, "faces": of_faces}


def _code(error: FerError) -> int:
    if isinstance(error, (OptionError, DetectorError)):
        return USAGE
    return MODEL if isinstance(error, ModelError) else DATA


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"fer-rs: {text}", file=sys.stderr)
