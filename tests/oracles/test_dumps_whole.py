"""Every recorded case of every family through a dump: what its loss is given is written as the format says, read, and computed anew.

That the loss of a case is the recorded one is what `test_oracles.py` holds; here it stays that through a file.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from case import CARRIED, Case, find_cases
from safetensors.torch import save_file

from detloss_cli import families
from detloss_cli.diagnose import loss as diagnose
from detloss_cli.geometry.convert import xyxy_to_cxcywh
from detloss_cli.inputs.head import Head
from detloss_cli.predictions.head_file import level_key
from detloss_cli.resolve import Request
from detloss_cli.targets.assignment import Targets

TOLERANCE = 1e-6
# Recorded with two answers for one cell, which no head gives: of these only the terms that read whole maps can be told from a file.
WHOLE_MAPS = {"cornernet": {"dups": ("heatmap",)}}


def cases() -> list[Any]:
    """Every case whose folder is a family."""
    found = []
    for path in find_cases(CARRIED):
        name = json.loads(path.read_text())["family"]
        if name.replace("_", "-") in families.MODULES:
            found.append(pytest.param(path, id=f"{name}-{path.stem}"))
    return found


class Watched:
    """A family's loss that keeps what it was given the last time in float32, and what it answered."""

    def __init__(self, loss: Any) -> None:
        self.loss, self.call, self.answer = loss, None, None

    def __call__(
        self, head: Head, hyp: Any, targets: Targets, predictions: Any, assignment: Any, *, profile: str, state: Any = None
    ) -> Any:
        found = self.loss(head, hyp, targets, predictions, assignment, profile=profile, state=state)
        if predictions.dense(0).dtype == torch.float32:
            self.call, self.answer = (head, hyp, targets, as_stored(head, predictions, assignment), profile, state), found
        return found


def as_stored(head: Head, predictions: Any, assignment: Any) -> list[torch.Tensor]:
    """The levels as one tensor each: recorded CornerNet cases hold what their loss gathers, slot by slot, beside the maps."""
    levels = []
    for index in range(len(head.levels)):
        rows = assignment.level == index
        slot = tuple(column[rows] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
        dense = predictions.dense(index).detach().clone()
        dense[slot] = predictions.at(index, *slot).detach()
        levels.append(dense.contiguous())
    return levels


def write(path: Path, family: str, head: Head, hyp: Any, targets: Targets, levels: Any, profile: str, state: Any) -> None:
    """A dump, from docs/dump-format.md alone."""
    boxes = targets.boxes.double()
    boxes = xyxy_to_cxcywh(boxes) if targets.frame == "xyxy_px" else boxes
    if targets.frame != "cxcywh":
        boxes = boxes / torch.tensor([head.imgsz[1], head.imgsz[0]] * 2)
    rows = torch.cat((targets.image.double()[:, None], targets.cls.double()[:, None], boxes), 1)
    tensors = {level_key(level.name): tensor for level, tensor in zip(head.levels, levels, strict=True)}
    about = {
        "family": family,
        "profile": profile,
        "imgsz": head.imgsz,
        "images": targets.images,
        "num_classes": head.num_classes,
        "reg_max": head.reg_max,
        "end2end": head.end2end,
        "levels": [
            {"key": level_key(level.name), "name": level.name, "stride": level.stride, "anchors": level.anchors} for level in head.levels
        ],
        "hyp": asdict(hyp),
        "balance": None if state is None else list(state),
    }
    save_file(tensors | {"targets": rows}, path, {"format": "detloss/1", "about": json.dumps(about)})


@pytest.mark.parametrize("path", cases())
def test_through_a_file(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(path)
    name = case.meta["family"]
    family = families.load(name.replace("_", "-"))
    watched = Watched(family.loss)
    monkeypatch.setattr(family, "loss", watched)
    importlib.import_module(f"adapters.{name}").replay(case)
    monkeypatch.undo()
    if watched.call is None:
        return  # a case of single functions: no loss is called
    write(tmp_path / "one.safetensors", family.ID, *watched.call)
    facts, findings = diagnose.compute(Request("compute", preds=str(tmp_path)))
    assert [finding.message for finding in findings if finding.code.startswith("DET50")] == []
    told = WHOLE_MAPS.get(name, {}).get(path.stem, family.TERMS)
    for term in (term for term in facts.loss.terms if term.name in told):
        index = None if term.level is None else [level.name for level in watched.call[0].levels].index(term.level)
        (direct,) = [one for one in watched.answer.terms if (one.name, one.level) == (term.name, index)]
        assert term.value == pytest.approx(float(direct.value.detach()), rel=TOLERANCE, abs=1e-9), (term.name, term.level)
