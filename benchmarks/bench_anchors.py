"""How the anchors of a head suit a whole set, and other anchors fitted to it with 1000 generations."""

from __future__ import annotations

from collections.abc import Iterator

import coco_scene
import numpy as np
from in_turn import Goal, Row, in_turn
from workplace import Place

from detloss_cli.measure.anchor_fit import Points, fit_anchors, fitness
from detloss_cli.measure.anchor_match import Matching
from detloss_cli.measure.anchors import AnchorTask, anchor_facts

MATCHING = Matching("ratio", 4.0)
REPORT = AnchorTask(MATCHING, "anchor_t", 4.0, True, 3, "", 0.5, 0, 1000)
KNOWN = 0.7227 - 0.0005  # fitness on all boxes that yolov5's own fit comes to on the full set, less what may be lacking


def prepare(place: Place) -> None:
    place.coco()


def measure(place: Place) -> Iterator[Row]:
    scene = coco_scene.stage(place.coco()).scene
    sides = scene.size_px
    kept: list[np.ndarray] = []
    report, fit = in_turn(
        (lambda: anchor_facts(scene.network, scene.head, REPORT), lambda: kept.append(fit_anchors(sides, 9, MATCHING))), place.rounds
    )
    everyone = Points(sides[:, 0], sides[:, 1], np.ones(len(sides), dtype=np.float32))
    yield Row("anchors of a set, report", report, goal=Goal("most", 0.15))
    yield Row("anchors of a set, fit of 1000 generations", fit, goal=Goal("most", 2.0))
    yield Row(
        "fitness that the fit lacks, all boxes", max(0.0, KNOWN - fitness(everyone, kept[-1], MATCHING)), goal=Goal("most", 0.0), unit=""
    )
