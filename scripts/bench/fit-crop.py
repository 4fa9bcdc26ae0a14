#!/usr/bin/env python3
"""How FER-2013's faces were cut: the Haar box found again in its own crops.
In: a folder of FER-2013's training faces (train/<class>/*.jpg). Out: box side / crop side, and the offset of the centres.
Needs Debian's python3-opencv, or PyPI's opencv-python-headless before version 5.
"""
import glob
import random
import sys

import cv2
import numpy as np

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"
SIDE = 144


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: fit-crop.py FOLDER   (the folder with one folder per expression)")
    cascade = cv2.CascadeClassifier(CASCADE)
    random.seed(1)
    paths = random.sample(sorted(glob.glob(f"{sys.argv[1]}/*/*.jpg")), 800)
    sizes, right, down = [], [], []
    for path in paths:
        face = cv2.resize(cv2.imread(path, cv2.IMREAD_GRAYSCALE), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        border = SIDE // 2
        face = cv2.copyMakeBorder(face, border, border, border, border, cv2.BORDER_REPLICATE)
        boxes, counts = cascade.detectMultiScale2(face, scaleFactor=1.03, minNeighbors=5, minSize=(72, 72), maxSize=(260, 260))
        if len(boxes):
            x, y, width, height = boxes[int(np.argmax(counts))]
            sizes.append(width / SIDE)
            right.append((x + width / 2) / SIDE - 1)
            down.append((y + height / 2) / SIDE - 1)
    print(f"found in {len(sizes)} of {len(paths)}")
    print("box side / crop side, 5, 25, 50, 75, 95 %:", np.percentile(sizes, [5, 25, 50, 75, 95]).round(3))
    print(f"centre of the box off the crop's, of its side: right {np.median(right):+.3f}, down {np.median(down):+.3f}")


if __name__ == "__main__":
    main()
