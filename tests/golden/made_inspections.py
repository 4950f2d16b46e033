"""What the commands that inspect show, made by hand: targets, anchors, labels, hyperparameters."""

from __future__ import annotations

from dataclasses import replace

from made_runs import BOXES, ROOT, assignment, data, labels, settings, yolov5

from detloss_cli.facts import Facts, HypFacts
from detloss_cli.facts.anchors import AnchorFacts, AnchorSet
from detloss_cli.finding import Finding, Where


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
