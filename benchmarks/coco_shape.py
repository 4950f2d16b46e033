#!/usr/bin/env python3
"""Write a synthetic, COCO-train2017-shaped detection data set as YOLO label files.

What is COCO-shaped about it (numbers of train2017 in brackets, at --images 118287):

* images, images without a box      [118,287 and 1,021], the latter half empty files, half missing files
* boxes per image                   a clipped negative binomial, mean 7.27 [860,001 boxes, at most 93 in one image]
* classes                           80 ids, COCO's own long-tailed counts [person 262,465 ... hair drier 198],
                                    few classes per image (mean about 2.7), as boxes of one class cluster
* box area, in pixels at 640        41% below 32**2, 34% in 32**2..96**2, 25% above 96**2
* boxes inside the image            x, y, w, h in [0, 1], no box crosses a border
* text                              "%d %.6f %.6f %.6f %.6f\\n" a box, LF line ends   (--style fixed)
                                    up to 17 significant digits, no newline at the end, as web exports write   (--style long)
                                    per file one of: fixed, long, 3 to 9 digits, CRLF, trailing blank   (--style mixed)

Layout (what yolov5, ultralytics, supervision, globox, pylabel read):

    OUT/data.yaml   OUT/labels/train/000000000000.txt ...   OUT/images/train/000000000000.jpg ...
    OUT/train.txt   OUT/stats.json (what was written, for asserts in tests)

--image-files none|empty|link|tiny: no image files, zero-length files, hard links to one 16x16 JPEG, or
a copy of it each (link is the cheap way to satisfy a reader that opens every image).
--break K plants K faulty label files of every kind in BREAKAGES, and lists them in OUT/broken.json.

Deterministic: the same arguments (and numpy's PCG64) give byte-identical files. About 6 s for the full size on one core.

    python benchmarks/coco_shape.py --images 118287 --seed 0 --out coco-shape
"""

from __future__ import annotations

import argparse
import base64
import json
import os
from pathlib import Path

import numpy as np

Rows = list[tuple[int, list[float]]]  # class, box

COCO_IMAGES = 118_287
COCO_BOXES = 860_001
COCO_EMPTY = 1_021

# fmt: off
NAMES = [
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic_light", "fire_hydrant",
    "stop_sign", "parking_meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe",
    "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports_ball", "kite", "baseball_bat",
    "baseball_glove", "skateboard", "surfboard", "tennis_racket", "bottle", "wine_glass", "cup", "fork", "knife", "spoon", "bowl",
    "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot_dog", "pizza", "donut", "cake", "chair", "couch",
    "potted_plant", "bed", "dining_table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell_phone", "microwave", "oven",
    "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy_bear", "hair_drier", "toothbrush",
]
# Instances per class in train2017, in the order of NAMES.
CLASS_COUNTS = np.array([
    262465, 7113, 43867, 8725, 5135, 6069, 4571, 9973, 10759, 12884, 1865, 1983, 1285, 9838, 10806, 4768, 5508, 6587,
    9509, 8147, 5513, 1294, 5303, 5131, 8720, 11431, 12354, 6496, 6192, 2682, 6646, 2685, 6347, 9076, 3276, 3747, 5543,
    6126, 4812, 24342, 7913, 20650, 5479, 7770, 6165, 14358, 9458, 5851, 4373, 6399, 7308, 7852, 2918, 5821, 7179, 6353,
    38491, 5779, 8652, 4192, 15714, 4157, 5805, 4970, 2262, 5703, 2855, 6434, 1673, 3334, 225, 5610, 2637, 24715, 6334,
    6613, 1481, 4793, 198, 1954], dtype=np.int64)
# fmt: on

# A 16x16 grey JPEG: above the 10x10 that the ultralytics family refuses.
TINY_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk"
    "eFxlZ2P/wAALCAAQABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AAP/Z"
)

# kind -> the file's bytes.  {0} is what the file held before.
BREAKAGES: dict[str, bytes] = {
    "too_few_columns": b"0 0.5 0.5 0.2\n",
    "non_numeric": b"0 0.5 0.5 abc 0.2\n",
    "class_out_of_range": b"80 0.500000 0.500000 0.200000 0.200000\n",
    "negative_class": b"-1 0.500000 0.500000 0.200000 0.200000\n",
    "float_class": b"1.5 0.500000 0.500000 0.200000 0.200000\n",
    "pixel_coordinates": b"0 320.0 240.0 64.0 64.0\n",
    "negative_coordinate": b"0 0.500000 -0.100000 0.200000 0.200000\n",
    "zero_width": b"0 0.500000 0.500000 0.000000 0.200000\n",
    "nan": b"0 nan 0.500000 0.200000 0.200000\n",
    "inf": b"0 0.500000 0.500000 inf 0.200000\n",
    "duplicate_box": b"0 0.500000 0.500000 0.200000 0.200000\n" * 2,
    "crosses_border": b"0 0.950000 0.500000 0.200000 0.200000\n",
    "bom_crlf": b"\xef\xbb\xbf0 0.500000 0.500000 0.200000 0.200000\r\n",
    "binary": bytes(range(256)),
    "comma_separated": b"0,0.5,0.5,0.2,0.2\n",
}


def counts_per_image(rng: np.random.Generator, images: int) -> np.ndarray:
    """Boxes in each image: a share of zeros, else a geometric-like draw, with COCO's mean and maximum."""
    empty = round(images * COCO_EMPTY / COCO_IMAGES)
    full = images - empty
    mean = COCO_BOXES / (COCO_IMAGES - COCO_EMPTY)
    shape = 1.05  # near-geometric tail: median 5, 95th percentile 21
    drawn = 1 + rng.negative_binomial(shape, shape / (shape + mean - 1), size=full)
    drawn = np.minimum(drawn, 93)
    want = round(images * COCO_BOXES / COCO_IMAGES)
    while (gap := want - int(drawn.sum())) != 0:  # nudge random images to the exact total
        step = 1 if gap > 0 else -1
        able = np.flatnonzero((drawn + step >= 1) & (drawn + step <= 93))
        drawn[rng.choice(able, size=min(abs(gap), able.size), replace=False)] += step
    out = np.zeros(images, dtype=np.int64)
    out[rng.permutation(images)[:full]] = drawn
    return out


def classes(rng: np.random.Generator, counts: np.ndarray) -> np.ndarray:
    """Class ids, long-tailed over the set and clustered within an image (a box repeats an earlier one's class)."""
    total = int(counts.sum())
    ids = rng.choice(80, size=total, p=CLASS_COUNTS / CLASS_COUNTS.sum())
    first = np.repeat(np.cumsum(counts) - counts, counts)
    place = np.arange(total) - first
    repeat = (rng.random(total) < 0.65) & (place > 0)
    source = first + (rng.random(total) * np.maximum(place, 1)).astype(np.int64)
    for _ in range(6):  # follow short chains of repeats
        ids = np.where(repeat, ids[source], ids)
    return ids


def boxes(rng: np.random.Generator, total: int) -> np.ndarray:
    """Centre x, y, width, height in [0, 1]: log-uniform-ish areas in COCO's three bands, log-normal aspect."""
    band = rng.choice(3, size=total, p=(0.41, 0.34, 0.25))
    low = np.log(np.array((5.0, 32.0, 96.0)))[band]
    high = np.log(np.array((32.0, 96.0, 520.0)))[band]
    lean = np.where(band == 2, rng.beta(1.0, 1.4, total), rng.beta(1.5, 1.0, total))
    side = np.exp(low + (high - low) * np.where(band == 1, rng.random(total), lean))
    aspect = np.exp(rng.normal(-0.1, 0.55, total))
    width = np.clip(side * np.sqrt(aspect), 1.5, 636.0) / 640.0
    height = np.clip(side / np.sqrt(aspect), 1.5, 636.0) / 640.0
    # Centres pull to the middle, and six decimals must still stay inside.
    x = width / 2 + (1 - width) * rng.beta(1.4, 1.4, total)
    y = height / 2 + (1 - height) * rng.beta(1.4, 1.4, total)
    return np.stack((x, y, width, height), axis=1)


def fixed(rows: Rows) -> str:
    return "".join([f"{c} {b[0]:.6f} {b[1]:.6f} {b[2]:.6f} {b[3]:.6f}\n" for c, b in rows])


def long(rows: Rows) -> str:
    return "\n".join([f"{c} {b[0]!r} {b[1]!r} {b[2]!r} {b[3]!r}" for c, b in rows])


def short(rows: Rows) -> str:
    return "".join([f"{c} {b[0]:.9g} {b[1]:.8g} {b[2]:.6g} {b[3]:.7g}\n" for c, b in rows])


def crlf(rows: Rows) -> str:
    return fixed(rows).replace("\n", "\r\n")


def blank(rows: Rows) -> str:
    return fixed(rows).replace("\n", " \n")


STYLES = {"fixed": (fixed,), "long": (long,), "mixed": (fixed, long, short, crlf, blank)}


def write(out: Path, images: int, seed: int, image_files: str, broken: int, style: str = "fixed") -> dict[str, object]:
    rng = np.random.default_rng(seed)
    counts = counts_per_image(rng, images)
    ids = classes(rng, counts)
    xywh = boxes(rng, int(counts.sum()))

    labels = out / "labels" / "train"
    pictures = out / "images" / "train"
    for folder in (labels, pictures):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise SystemExit(f"{folder} is not empty")

    ends = np.cumsum(counts)
    empties = np.flatnonzero(counts == 0)
    missing = set(empties[::2].tolist())  # every other box-free image has no label file at all
    formats = STYLES[style]
    written = 0
    size = 0
    for i in range(images):
        if i in missing:
            continue
        lo, hi = int(ends[i] - counts[i]), int(ends[i])
        rows = list(zip(ids[lo:hi].tolist(), xywh[lo:hi].tolist(), strict=True))
        text = formats[i % len(formats)](rows).encode()
        with open(labels / f"{i:012d}.txt", "wb") as f:
            f.write(text)
        written += 1
        size += len(text)

    if image_files == "link":
        seedling = out / "tiny.jpg"
        seedling.write_bytes(TINY_JPEG)
        for i in range(images):
            target = pictures / f"{i:012d}.jpg"
            if i % 50_000 == 0:  # ext4 allows 65,000 links to a file
                target.write_bytes(TINY_JPEG)
                seedling = target
            else:
                os.link(seedling, target)
    elif image_files in ("empty", "tiny"):
        for i in range(images):
            (pictures / f"{i:012d}.jpg").write_bytes(TINY_JPEG if image_files == "tiny" else b"")

    listed = {}
    if broken:
        solid = rng.permutation(np.flatnonzero(counts > 0))
        if solid.size < broken * len(BREAKAGES):
            raise SystemExit("too few images for --break")
        for n, (kind, data) in enumerate(BREAKAGES.items()):
            names = [f"{i:012d}.txt" for i in solid[n * broken : (n + 1) * broken].tolist()]
            listed[kind] = names
            for name in names:
                (labels / name).write_bytes(data)
        (out / "broken.json").write_text(json.dumps(listed, indent=1))

    (out / "train.txt").write_text("".join(f"./images/train/{i:012d}.jpg\n" for i in range(images)))
    names = "".join(f"  {n}: {name}\n" for n, name in enumerate(NAMES))
    (out / "data.yaml").write_text(f"train: images/train\nval: images/train\nnc: {len(NAMES)}\nnames:\n{names}")
    area = xywh[:, 2] * xywh[:, 3] * 640 * 640
    stats = {
        "images": images,
        "label_files": written,
        "empty_files": int(empties.size - len(missing)),
        "missing_files": len(missing),
        "boxes": int(counts.sum()),
        "bytes": size,
        "max_boxes": int(counts.max(initial=0)),
        "small": float((area < 32**2).mean()),
        "medium": float(((area >= 32**2) & (area < 96**2)).mean()),
        "large": float((area >= 96**2).mean()),
        "class_counts": np.bincount(ids, minlength=80).tolist(),
        "seed": seed,
        "broken": {kind: len(files) for kind, files in listed.items()},
    }
    (out / "stats.json").write_text(json.dumps(stats, indent=1))
    return stats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=COCO_IMAGES, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--image-files", choices=("none", "empty", "link", "tiny"), default="none")
    parser.add_argument("--break", dest="broken", type=int, default=0, metavar="K")
    parser.add_argument("--style", choices=tuple(STYLES), default="fixed")
    args = parser.parse_args()
    stats = write(args.out, args.images, args.seed, args.image_files, args.broken, args.style)
    stats.pop("class_counts")
    print(json.dumps(stats))


if __name__ == "__main__":
    main()
