"""A set of pictures of many aspects, and a plain loop over pictures and batches: what rectangular batches are held against."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from detloss_cli import families
from detloss_cli.facts import Facts
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.measure.batches import in_frame
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.resolve import Request, setup
from detloss_cli.targets.assignment import Targets

# width and height of pictures in file order: wide, high, square, and a row of like ones whose order is that of the files
TRAIN = [(640, 480), (300, 400), (500, 500), (1280, 427), (333, 999), (640, 480), (200, 640), (640, 360), (641, 640), (640, 480), (50, 70)]
VAL = [(640, 480), (640, 400), (480, 640), (1000, 313)]
CLASSES, SIZE, SIDE = 3, 3, 320
FAMILIES = ["yolov5", "yolov7", "yolov3-spp", "yolov8"]


@dataclass(frozen=True)
class Loop:
    """One batch as the plain loop has it. pictures: numbers in file order. boxes: (N, 4) xyxy px. image: (N,) in the batch."""

    pictures: list[int]
    height: int
    width: int
    boxes: np.ndarray
    image: np.ndarray
    cls: np.ndarray


def written(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    sizes = {}
    for split, pictures in (("train", TRAIN), ("val", VAL)):
        (tmp_path / "labels" / split).mkdir(parents=True)
        (tmp_path / "images" / split).mkdir(parents=True)
        for number, size in enumerate(pictures):
            name = f"{split}_{number:02}"
            sizes[f"images/{split}/{name}.jpg"] = size
            (tmp_path / "images" / split / f"{name}.jpg").touch()
            rows = []
            for _ in range(0 if number == 2 else 4 + number % 3):
                w, h = np.exp(rng.normal(-1.8, 0.7, 2)).clip(0.03, 0.8)
                x, y = rng.uniform(w / 2, 1 - w / 2), rng.uniform(h / 2, 1 - h / 2)
                rows.append(f"{rng.integers(CLASSES)} {x:.6f} {y:.6f} {w:.6f} {h:.6f}")
            (tmp_path / "labels" / split / f"{name}.txt").write_text("\n".join(rows) + "\n" * bool(rows))
    (tmp_path / "sizes.json").write_text(json.dumps(sizes))
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/val\nnames: [a, b, c]\n")
    return tmp_path


def request_of(data: Path, family: str, command: str = "compute", **more: Any) -> Request:
    asked: dict[str, Any] = {"batch_size": SIZE, "imgsz": (SIDE, SIDE), "anchors": "stock", "rect": True, **more}
    return Request(command, (str(data / "data.yaml"),), family=family, image_sizes=str(data / "sizes.json"), **asked)


def looped(data: Path, split: str, pictures: list[tuple[int, int]], pad: float, ceil: bool) -> list[Loop]:
    """Sorted, cut, letterboxed, one picture after the other."""
    order = sorted(range(len(pictures)), key=lambda n: pictures[n][1] / pictures[n][0])  # stable
    found = []
    for start in range(0, len(order), SIZE):
        mine = order[start : start + SIZE]
        ratios = [pictures[n][1] / pictures[n][0] for n in mine]
        high = max(ratios) if max(ratios) < 1 else 1.0
        wide = 1 / min(ratios) if min(ratios) > 1 else 1.0
        height, width = (math.ceil(share * SIDE / 32 + pad) * 32 for share in (high, wide))
        boxes, image, cls = [], [], []
        for place, n in enumerate(mine):
            w0, h0 = pictures[n]
            scale = SIDE / max(w0, h0)
            w, h = (min(math.ceil(side * scale), SIDE) if ceil else int(side * scale) for side in (w0, h0)) if scale != 1 else (w0, h0)
            left, top = (width - w) / 2, (height - h) / 2
            for line in (data / "labels" / split / f"{split}_{n:02}.txt").read_text().splitlines():
                c, x, y, bw, bh = (float(word) for word in line.split())
                boxes.append([(x - bw / 2) * w + left, (y - bh / 2) * h + top, (x + bw / 2) * w + left, (y + bh / 2) * h + top])
                image.append(place)
                cls.append(int(c))
        columns = np.asarray(boxes, dtype=np.float64).reshape(-1, 4), np.asarray(image, dtype=np.int64), np.asarray(cls, dtype=np.int64)
        found.append(Loop(mine, height, width, *columns))
    return found


def head_of(family: Any, loop: Loop) -> Head:
    spec = read_model_file(family.MODEL).spec
    if getattr(family, "COARSE_FIRST", False) != (list(spec.strides) == sorted(spec.strides, reverse=True)):
        spec = replace(spec, strides=spec.strides[::-1], anchors=spec.anchors[::-1] if spec.anchors else None)
    head = spec.at((loop.height, loop.width), CLASSES)
    return family.outputs(head, list(family.PROFILES)[-1]) if hasattr(family, "outputs") else head


def targets_of(family: Any, loop: Loop) -> Targets:
    x1, y1, x2, y2 = (loop.boxes / [loop.width, loop.height, loop.width, loop.height]).T
    network = np.stack(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), axis=1).astype(np.float32)
    boxes = in_frame(network, (loop.height, loop.width), family.FRAME)
    return Targets(torch.from_numpy(loop.image), torch.from_numpy(loop.cls), torch.from_numpy(boxes), len(loop.pictures), family.FRAME)


def by_hand(data: Path, name: str, **keys: Any) -> tuple[list[Loop], list[Any], list[Any], list[Head], Any]:
    """Batches, assignments, losses and heads of a fresh head over the training set, each batch through its own head."""
    family, profile = families.load(name), list(families.load(name).PROFILES)[-1]
    loops = looped(data, "train", TRAIN, 0.0, getattr(family, "LETTERBOX", "floor") == "ceil")
    full = replace(loops[0], height=SIDE, width=SIDE)
    hyp = family.scaled(replace(family.Hyp(), **keys) if keys else shipped(data, name), head_of(family, full), profile)
    rows, losses, heads, state = [], [], [], None
    for loop in loops:
        head, targets = head_of(family, loop), targets_of(family, loop)
        bias = [level.float() for level in family.prior(head, hyp, profile)]
        constant = ConstantHead(bias, head.levels, len(loop.pictures))
        rows.append(family.assign(head, hyp, targets, constant if family.NEEDS_PREDICTIONS else None, profile=profile))
        losses.append(family.loss(head, hyp, targets, constant, rows[-1], profile=profile, state=state))
        state = losses[-1].state
        heads.append(head)
    return loops, rows, losses, heads, hyp


def shipped(data: Path, name: str) -> Any:
    """The hyp that the family's own file gives."""
    return setup(request_of(data, name)).hyp


def figures(facts: Facts) -> tuple[list[int], dict[str, float]]:
    assert facts.levels is not None
    return [level.positives for level in facts.levels], dict(facts.loss.totals) if facts.loss is not None else {}


def vars_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}
