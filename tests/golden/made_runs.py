"""Runs made by hand, with numbers that hang together: what a report is tested on without a data set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from detloss_cli.diagnose.compare_runs import compared
from detloss_cli.facts import (
    AssignmentFacts,
    BoxFacts,
    BoxLossFacts,
    ClassFacts,
    DataFacts,
    Facts,
    GainFacts,
    HypFacts,
    LabelFacts,
    LevelFacts,
    LossFacts,
    LostRows,
    MapFacts,
    Settings,
    TermFacts,
)
from detloss_cli.facts.anchors import AnchorFacts, AnchorSet
from detloss_cli.facts.box_columns import OfImage, OfSome
from detloss_cli.facts.sweep import SweepFacts, SweepPoint
from detloss_cli.finding import Finding, Where

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


def targets() -> Facts:
    """What inspect targets shows: yolov5 with boxes that get nothing, and no loss."""
    whole = yolov5()
    groups = {"by_class": {"okraSeed": 9, "pepperFlower": 3}, "by_aspect": {"under 2": 10, "4 to 10": 2}}
    found = assignment(98_273, sum(BOXES), {"ratio": 12}, **groups)
    levels = tuple(replace(one, balance=None, obj_target_mean=None, weight_per_positive=None) for one in whole.levels or ())
    return Facts("inspect targets", data(), settings(), labels(), levels, found)


def anchors() -> Facts:
    """What inspect anchors shows: the present set beside a fit, a scale that leaves boxes out."""
    whole = yolov5()
    levels = tuple(replace(one, balance=None, obj_target_mean=None, weight_per_positive=None) for one in whole.levels or ())
    present = AnchorSet(tuple(one.anchors for one in levels), tuple(one.matches_per_anchor for one in levels), 0.9989, 4.06, 0.712, 0)
    boxes = (
        ((8.3, 8.5), (11.5, 18.2), (22.5, 16.7)),
        ((25.0, 34.6), (47.5, 43.1), (53.1, 90.1)),
        ((98.5, 76.0), (142.7, 171.9), (293.9, 317.9)),
    )
    fitted = AnchorSet(boxes, ((5005, 4001, 3900), (3000, 2000, 999), (700, 60, 0)), 1.0, 4.4, 0.8011, 0)
    facts = AnchorFacts(
        test="ratio",
        key="anchor_t",
        threshold=4.0,
        reach=4.0,
        imgsz=(640, 640),
        boxes=sum(BOXES),
        shapes=7900,
        below_fit=1,
        levels=("P3", "P4", "P5"),
        strides=(8, 16, 32),
        present=present,
        refits=False,
        fit_why="--refit",
        fit_number=9,
        fitted=fitted,
        seed=0,
        generations=1000,
        scale=0.5,
        by_scale=((0.5, 0.9712), (1.0, 0.9989), (1.5, 0.9999)),
        recall_in_cells=0.41,
        recall_in_fractions=0.0,
    )
    found = assignment(98_273, sum(BOXES), {"too_small": 9}, collisions_counted=False)
    return Facts("inspect anchors", data(), settings(head=None), labels(), levels, found, anchors=facts)


def label_run() -> tuple[Facts, list[Finding]]:
    """What inspect labels shows: rows lost to three rules, one of them often."""
    lost = {"class-out-of-range": 14, "column-count": 2}
    facts = Facts("inspect labels", data=data(), labels=labels(lost=lost))
    findings = [
        Finding(
            "DET132",
            "class-out-of-range",
            "error",
            f"class {12 + i} of 12",
            Where(f"{ROOT}/labels/train/a{i:02}.txt", i + 1, 1),
            "add names",
        )
        for i in range(14)
    ]
    findings += [
        Finding("DET120", "column-count", "error", "6 columns", Where(f"{ROOT}/labels/val/b.txt", 9, 21), "delete the last"),
        Finding("DET120", "column-count", "error", "4 columns", Where(f"{ROOT}/labels/val/b.txt", 7, 1), "give it a class"),
        Finding("DET152", "duplicate-box", "warning", "repeats line 3", Where(f"{ROOT}/labels/train/a01.txt", 5, 1), None),
        Finding("DET245", "unused-names", "info", "no box of class 7", Where(f"{ROOT}/data.yaml"), None),
    ]
    return facts, findings


def hyp() -> Facts:
    keys = (
        HypFacts("lr0", 0.01, None, None, None, False, "", 3),
        HypFacts("box", 0.05, 0.05, 0.02, 0.2, True, "gain of the box term (`giou` before 3.1)", 10),
        HypFacts("cls", 37.4, 0.5, 0.2, 4.0, True, "gain of the class term", 11),
        HypFacts("anchors", "abc", None, None, None, False, "", None),
    )
    return Facts("inspect hyp", gains=yolov5().gains, hyp=keys)


def boxes(positives: Sequence[int], lines: Sequence[int], reasons: Mapping[int, str]) -> BoxFacts:
    """Boxes of one label file with so many positives each, all on the first level. reasons: by line."""
    rows = np.zeros((len(positives), 3), dtype=np.int32)
    rows[:, 0] = positives
    side = np.asarray([4.0 + line for line in lines], dtype=np.float32)
    return BoxFacts(
        path=OfImage((f"{ROOT}/labels/train/IMG_6633_frame0112.txt",), np.zeros(len(lines), dtype=np.int64)),
        line=np.asarray(lines, dtype=np.int32),
        cls=np.asarray([line % 6 for line in lines], dtype=np.int64),
        width=side,
        height=side / 2,
        positives=rows,
        slots=rows.sum(axis=1).astype(np.int32),
        reason=OfSome({box: "small" for box, line in enumerate(lines) if line in reasons}, len(lines)),
        text=OfSome({box: reasons[line] for box, line in enumerate(lines) if line in reasons}, len(lines)),
    )


def box_loss(totals: Mapping[str, float], count: int) -> BoxLossFacts:
    """Half of each term, in even parts."""
    names = tuple(name for name in totals if name != "total")
    even = np.asarray([[totals[name] / 2 / count for name in names]] * count)
    return BoxLossFacts(names, even, {name: totals[name] / 2 for name in names})


def yolo11() -> Facts:
    """The data of `yolov5` under a task-aligned head: other terms, gains, keys and loader."""
    first = yolov5()
    rows = [(name, f"P{i + 3}", 0.6 - 0.1 * i, gain, 20_000) for i in range(3) for name, gain in (("box", 7.5), ("cls", 0.5), ("dfl", 1.5))]
    levels = tuple(replace(one, anchors=(), positives=one.positives // 2, balance=None) for one in first.levels or ())
    changes = {"family": "yolov8", "profile": "8.4.190", "loader": "ultralytics-8.4", "model": "yolo11s", "hyp": "/opt/hyp.yolov8.yaml"}
    return replace(
        first,
        settings=settings(**changes),
        labels=labels({"mixed-rows": 31, "zero-size": 2}),
        levels=levels,
        assignment=assignment(
            49_000, sum(BOXES) - 31, {"no_centre_inside": 240}, best_possible_recall=None, per_box_mean=6.1, anchors_per_target=None
        ),
        gains=tuple(GainFacts(name, name, hyp, (), hyp) for name, hyp in (("box", 7.5), ("cls", 0.5), ("dfl", 1.5))),
        loss=loss(rows, {}),
        keys={"box": 7.5, "cls": 0.5, "dfl": 1.5, "cls_pw": 0.0},
    )


def compared_runs() -> Facts:
    """What compare shows: boxes that lose all positives, some and none, a loader that keeps fewer rows, gains of another scale."""
    one = replace(yolov5(), keys={"box": 0.05, "cls": 0.5, "cls_pw": 1.0, "obj": 1.0, "anchor_t": 4.0}, labels=labels({"zero-size": 2}))
    other = yolo11()
    lost = {3: "4.2x3.0 px: no cell centre inside", 9: "3.1x2.2 px: no cell centre inside"}
    first = boxes((12, 9, 18, 6, 0, 15, 6), (1, 3, 5, 9, 11, 13, 15), {11: "15.0x7.5 px: ratio 4.2 ≥ anchor_t 4 on every level"})
    second = boxes((10, 0, 10, 0, 4, 6), (1, 3, 5, 9, 11, 15), lost)
    runs = [("yolov5s", first, one), ("yolo11s", second, other)]
    told = [
        (name, replace(run, boxes=own, box_loss=box_loss(run.loss.totals, len(own.line)) if run.loss is not None else None))
        for name, own, run in runs
    ]
    return Facts("compare", data=data(), compare=compared("--model", told))


def swept() -> Facts:
    """What a sweep shows: the present setting between others, one that cannot be computed."""
    levels = {"P3": 47_713, "P4": 33_063, "P5": 17_497}
    points = [
        SweepPoint(
            (str(size),),
            size == 640,
            8062,
            none,
            none / 8062,
            98_273 - none,
            12.2,
            0.9989,
            0,
            {"ratio": none},
            levels,
            {"box": 0.1, "total": 0.2145},
        )
        for size, none in ((320, 812), (640, 9), (1280, 0))
    ]
    return replace(yolov5(), sweep=SweepFacts(("imgsz",), (*points, SweepPoint(("1472",), False, error="a head of P6 does not fit"))))


def swept_twice() -> Facts:
    """The same by input size and trainer, from labels alone."""
    shares = {"yolov5-7.0": (0.1, 0.001, 0.0), "ultralytics-8.4": (0.28, 0.03, 0.0003)}
    points = tuple(
        SweepPoint(
            (str(size), trainer),
            size == 640 and trainer == "yolov5-7.0",
            8062,
            round(8062 * share),
            share,
            98_273,
            12.2,
            by_head=trainer[0] == "u",
        )
        for place, size in enumerate((320, 640, 1280))
        for trainer, share in ((name, own[place]) for name, own in shares.items())
    )
    return replace(targets(), sweep=SweepFacts(("imgsz", "trainer"), points))
