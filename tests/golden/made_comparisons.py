"""Runs made by hand beside one another: boxes that gain and lose positives, and sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from made_inspections import targets
from made_runs import BOXES, ROOT, assignment, data, labels, loss, settings, yolov5

from detloss_cli.diagnose.compare_runs import compared
from detloss_cli.facts import BoxFacts, BoxLossFacts, Facts, GainFacts
from detloss_cli.facts.box_columns import OfImage, OfSome
from detloss_cli.facts.sweep import SweepFacts, SweepPoint


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
