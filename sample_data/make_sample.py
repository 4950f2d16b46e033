#!/usr/bin/env python3
"""Make sample_data/vegetables from a clone of the data set that ATTRIBUTION.md names.

    python sample_data/make_sample.py CLONE [--out sample_data/vegetables]

Every picture there is 640 x 640. A loss whose boxes are scaled by a letterbox cannot be told from one that stretches on square pictures,
so some are cropped here to other aspects; their boxes are cut at the crop, and boxes left with less than a pixel are dropped.
The other pictures and label files are copied byte for byte, which keeps the CRLF line ends of the source.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image

# The split of the source, the folder it becomes, and the pictures taken from it.
SPLITS = {
    "train": (
        "train",
        "6633_frame0112 6633_frame0238 6633_frame0294 6633_frame0553 6633_frame0595 6634_frame0357 6634_frame0399 6634_frame0450 "
        "6634_frame0555 6634_frame0587 6634_frame0660 6634_frame0702 6634_frame0776 6635_frame0209 6635_frame0419 6635_frame0735 "
        "6635_frame0819 6635_frame0850 6637_frame1637 6637_frame1721 6638_frame0231 6638_frame0315",
    ),
    "valid": ("val", "6635_frame0041 6637_frame0272 6637_frame0315 6637_frame0420 6637_frame0503"),
    "test": (
        "test",
        "6633_frame0000 6633_frame0147 6637_frame0734 6637_frame0798 6637_frame1049 6637_frame1112 6637_frame1322",
    ),
}
# Left, top, right, bottom in pixels of the source picture.
CROPS = {
    "6633_frame0595": (0, 100, 640, 460),
    "6634_frame0450": (60, 140, 487, 460),
    "6634_frame0776": (90, 110, 410, 350),
    "6635_frame0735": (120, 150, 480, 366),
    "6635_frame0819": (130, 160, 420, 373),
    "6635_frame0850": (120, 80, 480, 560),
    "6637_frame1637": (100, 0, 527, 640),
    "6637_frame1721": (180, 60, 400, 500),
    "6638_frame0231": (270, 170, 430, 383),
    "6637_frame0503": (160, 0, 520, 640),
    "6635_frame0041": (140, 180, 460, 380),
    "6633_frame0147": (0, 107, 640, 534),
    "6637_frame1322": (140, 40, 440, 640),
}
# Stored on its side, with the EXIF orientation that turns it upright again: labels describe the picture as it is displayed.
ON_ITS_SIDE = {"6635_frame0850"}
EXIF_ORIENTATION, TURN_RIGHT = 0x0112, 6
QUALITY = 90


def crop_rows(text: str, crop: tuple[int, int, int, int], side: int) -> list[str]:
    """The label rows inside the crop, cut at its edges and normalised to it."""
    left, top, right, bottom = crop
    width, height = right - left, bottom - top
    rows = []
    for line in text.splitlines():
        cls, *numbers = line.split()
        cx, cy, w, h = (float(number) * side for number in numbers)
        x1, x2 = max(cx - w / 2, left) - left, min(cx + w / 2, right) - left
        y1, y2 = max(cy - h / 2, top) - top, min(cy + h / 2, bottom) - top
        if x2 - x1 < 1 or y2 - y1 < 1:
            continue
        box = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
        rows.append(" ".join([cls, *(f"{value:.6f}" for value in box)]))
    return rows


def save_picture(source: Path, target: Path, crop: tuple[int, int, int, int], on_its_side: bool) -> None:
    """The cropped picture as JPEG, without metadata other than the orientation."""
    with Image.open(source) as opened:
        picture = opened.convert("RGB").crop(crop)
    exif = Image.Exif()
    if on_its_side:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif[EXIF_ORIENTATION] = TURN_RIGHT
    picture.save(target, quality=QUALITY, optimize=True, exif=exif)


def make_split(clone: Path, out: Path, split: str) -> None:
    """One split: pictures and label files beside one another."""
    folder, stems = SPLITS[split]
    images, labels = out / "images" / folder, out / "labels" / folder
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for stem in stems.split():
        picture = next(clone.glob(f"**/{split}/images/IMG_{stem}.jpg"))
        rows = next(clone.glob(f"**/{split}/labels/IMG_{stem}.txt"))
        if stem not in CROPS:
            shutil.copyfile(picture, images / picture.name)
            shutil.copyfile(rows, labels / rows.name)
            continue
        with Image.open(picture) as opened:
            side = opened.width
        save_picture(picture, images / picture.name, CROPS[stem], stem in ON_ITS_SIDE)
        kept = crop_rows(rows.read_text(encoding="utf-8"), CROPS[stem], side)
        (labels / rows.name).write_bytes("".join(f"{row}\r\n" for row in kept).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "vegetables")
    arguments = parser.parse_args()
    for split in SPLITS:
        make_split(arguments.clone, arguments.out, split)


if __name__ == "__main__":
    main()
