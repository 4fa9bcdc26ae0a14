"""Records what other packages answer, for test_compat.py. In: a Python with `fer`. Out: recorded.json.

    PYTHON python/tests/record_peers.py fer CLIP.mp4

deepface needs weights that it downloads, and py-feat too: their shapes are read from their sources,
deepface 0.0.103 `modules/demography.py` and `modules/detection.py`, py-feat 2.1.5 `utils/__init__.py` and
`detector_v2.py`, and stand in `READ` below.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]

READ = {
    "deepface": {
        "version": "0.0.103, from its source",
        "analyze": [
            {
                "emotion": {emotion: 100 / 7 for emotion in EMOTIONS},
                "dominant_emotion": "angry",
                "region": {"x": 1, "y": 2, "w": 3, "h": 4, "left_eye": None, "right_eye": None},
                "face_confidence": 0.9,
            }
        ],
    },
    "py-feat": {
        "version": "2.1.5, from its source",
        "emotion_columns": ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"],
        "facebox_columns": ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"],
        "place_columns": ["input", "frame", "approx_time"],
    },
}


def plain(value: object) -> object:
    """NumPy's kinds as JSON's."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def record_fer(clip: str) -> dict:
    """What fer answers for the drawn faces, for nobody, and for a clip."""
    import cv2
    import numpy
    from fer.classes import Video
    from fer.fer import FER

    drawn = cv2.imread(str(Path(__file__).parents[2] / "docs/images/drawn-faces.png"))
    nobody = numpy.full((90, 90, 3), 90, numpy.uint8)
    detector = FER()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        silent = {"save_frames": False, "save_video": False, "zip_images": False, "display": False}
        rows = Video(clip, outdir=folder).analyze(detector, output="csv", max_results=3, **silent)
        table = Video(clip, outdir=folder).analyze(detector, output="pandas", max_results=3, **silent)
    return {
        "version": "25.10.3",
        "detect_emotions": detector.detect_emotions(drawn)[:2],
        "detect_emotions_nobody": detector.detect_emotions(nobody),
        "top_emotion": list(detector.top_emotion(drawn)),
        "top_emotion_nobody": list(detector.top_emotion(nobody)),
        "video_csv_first_row": rows[0],
        "video_pandas_columns": list(table.columns),
    }


if __name__ == "__main__":
    recorded = {"fer": record_fer(os.path.abspath(sys.argv[2]))} | READ
    target = Path(__file__).parent / "recorded.json"
    target.write_text(json.dumps(recorded, indent=1, default=plain) + "\n")
