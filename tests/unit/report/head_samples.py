"""One head's facts for the tests of what is printed."""

from __future__ import annotations

import numpy as np

from detloss_cli.facts.heads import AnswerFacts, CellFacts, ConfusionFacts, GradientFacts, HeadFacts, HeadLevelFacts

LEVEL = HeadLevelFacts(
    level="P3", slots=100_000, iou=(0.1, 0.5, 0.9), iou_above_half=0.5, confidence=(0.1, 0.5, 0.9), background=10_000_000,
    background_mean=0.01, background_most=0.9, false_alarms=31_000, separation=0.9, slots_saturated=0, alarms_saturated=0,
    box_saturated=0.0, classes_saturated=0, logits={"box": (-2.0, 2.0), "obj": (-5.0, 5.0)},
)  # fmt: skip
CELL = CellFacts("pictures/evil\x1b[31m.jpg", 0, "P3", 1, 2, 3, 28.0, 20.0, 0.97, "evil\x1b[2J", "obj", 0.002, 0.03)
ANSWERS = AnswerFacts(
    path=("labels/evil\x1b.txt", "b.txt"),
    line=np.asarray([3, 7], dtype=np.int32),
    name=("cat", "dog"),
    iou=np.asarray([0.02, np.nan]),
    confidence=np.asarray([0.5, 0.1]),
    taken_for=("dog", "dog"),
)
HEAD = HeadFacts(
    steps=(120_000,),
    levels=(LEVEL,),
    gradients=(GradientFacts("box", "P3", 0.5, 0.75, 100, 0), GradientFacts("obj", "P3", 0.0, 0.25, 100, 1)),
    cells=(CELL,),
    slots=100,
    right=90,
    confusion=(ConfusionFacts("cat", "dog", 5, 40),),
    answers=ANSWERS,
)
