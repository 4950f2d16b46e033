"""Runs made by hand, with numbers that hang together: what a report is tested on without a data set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from detloss_cli.facts import (
    AssignmentFacts,
    ClassFacts,
    DataFacts,
    Facts,
    GainFacts,
    LabelFacts,
    LevelFacts,
    LossFacts,
    LostRows,
    MapFacts,
    Settings,
    TermFacts,
)

ROOT = "/data/vegetables_crlf"
NAMES = ("okraFlower", "okraFruit", "okraBud", "okraSeed", "pepperFlower", "greenPepper")
BOXES = (705, 1204, 411, 2317, 59, 3366)


def data() -> DataFacts:
    return DataFacts("vegetables_crlf/data.yaml", ROOT, {"train": (f"{ROOT}/images/train",)})


def settings(**changes: object) -> Settings:
    values: dict[str, object] = {
        "family": "yolov5",
        "profile": "7.0",
        "loader": "yolov5-7.0",
        "model": "yolov5s",
        "imgsz": (640, 640),
        "num_classes": 12,
        "names_source": "names",
        "geometry": "letterbox",
        "batch_size": 16,
        "device": "cpu",
        "dtype": "float32",
        "seed": 0,
        "head": "prior",
        "preds": None,
        "hyp": "/opt/configs/hyp.scratch-low.yaml",
        "gains": "as the trainer scales them",
        "origins": {"family": "default", "profile": "latest", "geometry": "default"},
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]


def labels(lost: Mapping[str, int] | None = None, **changes: object) -> LabelFacts:
    gone = dict(lost or {})
    kept = sum(BOXES)
    values: dict[str, object] = {
        "images": 1029,
        "labelled": 1000,
        "background": 29,
        "missing": 4,
        "skipped": 0,
        "rows": kept + sum(gone.values()),
        "boxes": kept,
        "kept": kept,
        "lost": LostRows(sum(gone.values()), min(3, len(gone)), gone),
        "classes": tuple(ClassFacts(i, name, n, n // 3) for i, (name, n) in enumerate(zip(NAMES, BOXES, strict=True))),
        "sizes": {"small": 4000, "medium": 4000, "large": kept - 8000},
    }
    return LabelFacts(**(values | changes))  # type: ignore[arg-type]


def loss(
    rows: Sequence[tuple[str, str | None, float, float, int]], marks: Mapping[str, Sequence[float]], factor: float = 16.0
) -> LossFacts:
    """Terms from (name, level, raw, gain, count); totals are their sums, marks come term by term."""
    names = list(dict.fromkeys(name for name, *_ in rows))
    total = math.fsum(raw * gain for _, _, raw, gain, _ in rows)
    terms = tuple(
        TermFacts(name, level, raw, gain, raw * gain, raw * gain / total if total else None, count, raw * gain / count if count else None)
        for name, level, raw, gain, count in rows
    )
    totals = {name: math.fsum(term.value for term in terms if term.name == name) for name in names} | {"total": total}
    all_marks = {"prior": totals} | {mark: dict(zip(names, v, strict=True)) | {"total": math.fsum(v)} for mark, v in marks.items()}
    return LossFacts(terms, totals, factor, 65, all_marks)


def assignment(positives: int, boxes: int, reasons: Mapping[str, int] | None = None, **changes: object) -> AssignmentFacts:
    missing = dict(reasons or {})
    values: dict[str, object] = {
        "positives": positives,
        "boxes": boxes,
        "unassigned": sum(missing.values()),
        "by_reason": missing,
        "by_size": {"small": sum(missing.values()), "medium": 0, "large": 0},
        "per_box_mean": positives / boxes if boxes else 0.0,
        "per_box_max": 27,
        "per_box_histogram": (sum(missing.values()), 0, 0, 12, 300),
        "collision_slots": 512,
        "collision_rows": 530,
        "boxes_without_slot": 2,
        "class_conflicts": 0,
        "best_possible_recall": 0.9989,
        "anchors_per_target": 4.06,
    }
    return AssignmentFacts(**(values | changes))  # type: ignore[arg-type]


def yolov5(**changes: object) -> Facts:
    """The run of the sketch: three levels, three terms, nine boxes without positives."""
    anchors = (
        ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),
        ((30.0, 61.0), (62.0, 45.0), (59.0, 119.0)),
        ((116.0, 90.0), (156.0, 198.0), (373.0, 326.0)),
    )
    positives, side, weights, balance = (47_713, 33_063, 17_497), (80, 40, 20), (1.0, 1.31, 2.2), (4.0, 1.0, 0.4)
    target = (0.31, 0.29, 0.22)
    levels = tuple(
        LevelFacts(
            f"P{i + 3}",
            8 << i,
            side[i],
            side[i],
            3 * side[i] ** 2,
            anchors[i],
            positives[i],
            8000 - 1000 * i,
            tuple(positives[i] // 9 + 7 * k for k in range(3)),
            (positives[i] // 3, positives[i] // 3, positives[i] - 2 * (positives[i] // 3)),
            balance[i],
            target[i],
            weights[i],
        )
        for i in range(3)
    )
    raw = ((0.7180, 0.7040, 0.6220), (0.0056, 0.0148, 0.03525), (0.28133, 0.28133, 0.25067))
    gain = (0.05, 1.0, 0.075)
    rows = [
        (name, f"P{i + 3}", raw[t][i], gain[t] * (balance[i] if name == "obj" else 1.0), positives[i])
        for i in range(3)
        for t, name in enumerate(("box", "obj", "cls"))
    ]
    values: dict[str, object] = {
        "command": "compute",
        "data": data(),
        "settings": settings(),
        "labels": labels(),
        "levels": levels,
        "assignment": assignment(sum(positives), sum(BOXES), {"ratio": 9}),
        "gains": (
            GainFacts("box", "box", 0.05, (("3/3 levels", 1.0, "train.py"),), 0.05),
            GainFacts("obj", "obj", 1.0, (("(640/640)² px", 1.0, "train.py"), ("3/3 levels", 1.0, "train.py")), 1.0),
            GainFacts("cls", "cls", 0.5, (("12/80 classes", 0.15, "train.py"), ("3/3 levels", 1.0, "train.py")), 0.075),
        ),
        "loss": loss(rows, {"base_rate": (0.1022, 0.0431, 0.0302), "perfect": (0.0011, 0.0, 0.0)}),
    }
    return Facts(**(values | changes))  # type: ignore[arg-type]


def keras_yolo3() -> Facts:
    """Four terms of very different size, no gains worth a word, an empty level."""
    positives = (7000, 62, 0)
    levels = tuple(
        LevelFacts(
            f"P{i + 3}",
            8 << i,
            52 >> i,
            52 >> i,
            3 * (52 >> i) ** 2,
            ((10.0, 13.0),),
            positives[i],
            positives[i],
            (positives[i],),
            (positives[i],),
            None,
            None,
            (1.0, 2.4, None)[i],
        )
        for i in range(3)
    )
    rows = [
        (name, f"P{i + 3}", (25.5, 2.81, 5618.02, 76.6)[t] / 4**i, 1.0, positives[i])
        for i in range(3)
        for t, name in enumerate(("xy", "wh", "conf", "cls"))
    ]
    return Facts(
        "compute",
        data(),
        settings(family="keras-yolo3", profile="master", model="yolov3", imgsz=(416, 416), hyp="keras-yolo3", loader="strict"),
        labels(lost={"class-out-of-range": 12, "column-count": 3}),
        levels,
        assignment(sum(positives), sum(BOXES), {"lost_the_cell": 1000}, best_possible_recall=None, anchors_per_target=None),
        (),
        loss(rows, {"base_rate": (30.0, 1.8, 85.7, 17.7), "perfect": (21.0, 0.0, 0.0, 0.0)}, factor=1.0),
    )


def centernet() -> Facts:
    """One map, terms without a level, one of which is not a number."""
    level = LevelFacts("P2", 4, 128, 128, 128 * 128, (), 8000, 8000, (), ())
    rows = [("heatmap", None, 24.061, 1.0, 8000), ("size", None, 8.25, 0.1, 8000), ("offset", None, math.nan, 1.0, 8000)]
    return Facts(
        "compute",
        data(),
        settings(
            family="centernet",
            profile="xingyizhou",
            model="centernet",
            imgsz=(512, 512),
            geometry="square",
            hyp="centernet",
            loader="strict",
        ),
        labels(),
        (level,),
        assignment(8000, 8000, best_possible_recall=None, anchors_per_target=None),
        (GainFacts("size", "wh_weight", 0.1, (), 0.1, "not read from the file"),),
        loss(rows, {"base_rate": (3.285, 0.357, 0.245), "perfect": (0.0, 0.0, 0.0)}, factor=1.0),
        maps=(MapFacts("P2", 4, 128, 128, 128 * 128 * 12, 8000, 7991, 18, (0, 900, 3000, 4000, 100), 412_000, 0.713),),
    )
