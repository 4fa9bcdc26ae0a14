"""The shape of PyPI's `fer` (25.10): `FER` and `Video`.

In: its calls. Out: `[{"box": [x, y, w, h], "emotions": {…, two decimals}}]`, and its tables.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, PictureNotFoundError
from ..faces import Face
from ..reader import Reader
from ..tracker import Tracker
from ..video import frames
from .pictures import DEFAULT, read, unused

if TYPE_CHECKING:
    import pandas

__all__ = ["FER", "Video"]

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


class FER:
    """Finds and reads faces as `fer.FER` does.

    `scale_factor`, `min_face_size` and `min_neighbors` go to our cascade; what has no like here warns.

    Raises:
        OptionError: An argument is out of range.
    """

    def __init__(
        self,
        cascade_file: Any = DEFAULT,
        mtcnn: Any = DEFAULT,
        tfserving: Any = DEFAULT,
        use_tflite: Any = DEFAULT,
        scale_factor: float | None = None,
        min_face_size: int = 50,
        min_neighbors: int | None = None,
        offsets: Any = DEFAULT,
        *,
        reader: Reader | None = None,
    ) -> None:
        unused(
            "FER", cascade_file=cascade_file, mtcnn=mtcnn, tfserving=tfserving, use_tflite=use_tflite, offsets=offsets
        )
        self.reader = reader or Reader(
            scale_factor=scale_factor, smallest_face=min_face_size, neighbours=min_neighbors
        )
        missing = set(EMOTIONS) - set(self.reader.labels)
        if missing:
            raise OptionError(f"reader: expected a model with FER-2013's labels, found none for {sorted(missing)}")

    @staticmethod
    def _get_labels() -> dict[int, str]:
        return dict(enumerate(EMOTIONS))

    def detect_emotions(
        self, img: Any, face_rectangles: Iterable[Sequence[float]] | None = None
    ) -> list[dict[str, Any]]:
        """The faces of a picture: a BGR or grey array, a path, or base64 text; or those in `face_rectangles`."""
        return [_face(face) for face in read(self.reader, img, face_rectangles)]

    def batch_detect_emotions(self, imgs: Sequence[Any]) -> list[list[dict[str, Any]]]:
        """`detect_emotions` of each picture."""
        return [self.detect_emotions(img) for img in imgs]

    def find_faces(self, img: Any, bgr: bool = True) -> list[list[int]]:
        """The boxes of a picture's faces."""
        return [face["box"] for face in self.detect_emotions(img)]

    def top_emotion(self, img: Any) -> tuple[str | None, float | None]:
        """The first face's most probable emotion and its probability; None and None without a face."""
        found = self.detect_emotions(img)
        if not found:
            return None, None
        emotions = found[0]["emotions"]
        best = max(emotions, key=emotions.__getitem__)
        return best, emotions[best]


def _face(face: Face) -> dict[str, Any]:
    emotions = {emotion: round(face.probabilities[emotion], 2) for emotion in EMOTIONS}
    return {"box": [round(value) for value in face.box], "emotions": emotions}


class Video:
    """Reads a video as `fer.classes.Video` does, over PyAV or OpenCV.

    Raises:
        PictureNotFoundError: There is no such file.
    """

    def __init__(
        self, video_file: str, outdir: Any = DEFAULT, first_face_only: bool = True, tempfile: Any = DEFAULT
    ) -> None:
        unused("Video", outdir=outdir, tempfile=tempfile)
        if not os.path.exists(video_file):
            raise PictureNotFoundError(f"Video file not found at {os.path.abspath(video_file)}")
        self.filepath = video_file
        self.first_face_only = first_face_only
        self.times: list[float] = []
        """Seconds since the start, of each row of the last `analyze`: rows are frames with a face."""

    def analyze(
        self,
        detector: FER,
        display: Any = DEFAULT,
        output: str = "csv",
        frequency: int | None = None,
        max_results: int | None = None,
        save_fps: Any = DEFAULT,
        video_id: Any = DEFAULT,
        save_frames: Any = DEFAULT,
        save_video: Any = DEFAULT,
        annotate_frames: Any = DEFAULT,
        zip_images: Any = DEFAULT,
        detection_box: dict[str, int] | None = None,
        **other: Any,
    ) -> Any:
        """Reads every `frequency`-th frame; `output` is `"csv"` (data.csv, and a list) or `"pandas"`.

        Nothing but data.csv is written: the annotated video is made by `fer-live --save-video`.
        """
        unused(
            "Video.analyze",
            display=display,
            save_fps=save_fps,
            video_id=video_id,
            save_frames=save_frames,
            save_video=save_video,
            annotate_frames=annotate_frames,
            zip_images=zip_images,
            **other,
        )
        if output not in ("csv", "pandas"):
            raise OptionError(f'output: expected "csv" or "pandas", found {output!r}')
        every = max(1, int(frequency or 1))
        tracker = Tracker(detector.reader)
        found: list[list[dict[str, Any]]] = []
        self.times = []
        n_read = 0
        latest = 0.0
        for index, (picture, time, channels) in enumerate(frames(self.filepath)):
            latest = time = max(latest, time)
            if index % every:
                continue
            if max_results is not None and n_read >= max_results:
                break
            n_read += 1
            cut = detection_box or {}
            left, top = cut.get("x_min", 0), cut.get("y_min", 0)
            picture = picture[top : cut.get("y_max"), left : cut.get("x_max")]
            # Followed from frame to frame, which costs a fraction of a search; what is only expected is not told.
            followed = tracker.update(picture, time, channels=channels)
            faces = [_face(face) for face in followed if not face.held]
            for face in faces:
                face["box"][0] += left
                face["box"][1] += top
            if faces:
                found.append(faces)
                self.times.append(time)
        return self.to_csv(found) if output == "csv" else self.to_pandas(found)

    @staticmethod
    def _to_dict(data: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        return [
            {
                name + str(number): value
                for number, face in enumerate(faces)
                for name, value in {"box": face["box"], **face["emotions"]}.items()
            }
            for faces in data
        ]

    def to_csv(self, data: list[list[dict[str, Any]]], filename: str = "data.csv") -> list[dict[str, Any]]:
        """Writes one row a frame with a face, and returns the rows."""
        table = self._to_dict(data)

        def place(column: str) -> tuple[str, int]:
            word, number = re.fullmatch(r"(\D+)(\d+)", column).groups()  # type: ignore[union-attr]
            return word, int(number)

        columns = sorted(set().union(*table), key=place)
        with open(filename, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
        return table

    def to_pandas(self, data: Any) -> pandas.DataFrame:
        """The rows as a DataFrame; of the first face only, unless `first_face_only=False`."""
        import pandas

        if isinstance(data, pandas.DataFrame):
            return data
        table = pandas.DataFrame(self._to_dict(data))
        return self.get_first_face(table) if self.first_face_only and len(table) else table

    @staticmethod
    def get_first_face(df: pandas.DataFrame) -> pandas.DataFrame:
        """The columns of the first face, without its number."""
        if not df.columns[0][-1].isdigit():
            return df
        first = df[[column for column in df.columns if re.fullmatch(r"\D+0", column)]]
        return first.rename(columns=lambda column: column[:-1])

    @staticmethod
    def get_emotions(df: pandas.DataFrame) -> pandas.DataFrame:
        """The columns of emotions."""
        return df[[column for column in df.columns if "box" not in column]]
