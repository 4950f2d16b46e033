"""What the recorded cases of torchvision have in common: flat inputs of all levels, matches and losses by image."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from case import Case
from compare import DTYPE, close, equal
from torch import Tensor

from detloss_cli.inputs.head import Head
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Assignment, Targets

NAMES = {"classification": "cls", "bbox_regression": "box", "bbox_ctrness": "centerness"}
INPUTS = ("bbox_regression", "bbox_ctrness", "cls_logits")  # in the order of the channels


class Drawn(Case):
    """Draws inputs that are not stored; anchors are detloss's own, which the recorded hash then judges."""

    def __init__(self, path: Any, anchors: Callable[[Case], Tensor]) -> None:
        super().__init__(path)
        object.__setattr__(self, "_anchors", anchors)

    def _drawn(self) -> dict[str, Tensor]:
        seed = self.meta["inputs"]["cls_logits"]["recipe"].split("Generator(")[1].split(")")[0]
        source = torch.Generator().manual_seed(int(seed))
        found = {}
        for name in ("cls_logits", "bbox_regression", "bbox_ctrness"):
            if name in self.meta["inputs"]:
                found[name] = (torch.rand(self.meta["inputs"][name]["shape"], generator=source) * 2 - 1) * 2.0
        if "abs()" in self.meta["inputs"]["cls_logits"]["recipe"]:
            found["bbox_regression"] = found["bbox_regression"].abs()
        return found | {"anchors_xyxy": self._anchors(self)}


def by_level(case: Case, head: Head, flat: Tensor) -> list[Tensor]:
    """(B, all, C) to one (B, A, H, W, C) a level: anchors of a cell stand together."""
    each, parts = case.settings["anchors_per_location"], []
    for level, part in zip(head.levels, flat.split(case.settings["num_anchors_per_level"], dim=1), strict=True):
        parts.append(part.unflatten(1, (level.rows, level.cols, each)).permute(0, 3, 1, 2, 4))
    return parts


def targets_of(case: Case, dtype: str) -> Targets:
    rows = case.inputs["targets_img_cls_xyxy"].to(DTYPE[dtype])
    return Targets(rows[:, 0].long(), rows[:, 1].long(), rows[:, 2:], case.settings["batch"], "xyxy_px")


def flat_index(case: Case, head: Head, columns: dict[str, Tensor]) -> Tensor:
    """Index of slots into the anchors of all levels."""
    each, sizes = case.settings["anchors_per_location"], torch.tensor(case.settings["num_anchors_per_level"])
    cols = torch.tensor([level.cols for level in head.levels])[columns["level"]]
    cell = columns["row"] * cols + columns["col"]
    return (sizes.cumsum(0) - sizes)[columns["level"]] + cell * each + columns["anchor"]


def run(case: Case, dtype: str, family: ModuleType, head: Head, hyp: Any) -> None:
    targets = targets_of(case, dtype)
    flat = {name: case.inputs[name].clone().to(DTYPE[dtype]).requires_grad_() for name in INPUTS if name in case.inputs}
    predictions = DensePredictions(by_level(case, head, torch.cat(tuple(flat.values()), dim=2)))
    assignment = family.assign(head, hyp, targets, profile="0.29.1")
    breakdown = family.loss(head, hyp, targets, predictions, assignment, profile="0.29.1")
    breakdown.total.backward()
    wanted = case.expected(dtype)
    for name, value in wanted["losses"].items():
        close(breakdown.item(NAMES[name]), value, dtype, name)
    close(breakdown.total, wanted["total"], dtype, "total")
    for name, value in wanted["grad_l2"].items():
        close(float(flat[name].grad.norm()), value, dtype, f"gradient of {name}")
    matches(case, dtype, head, targets, assignment)


def matches(case: Case, dtype: str, head: Head, targets: Targets, assignment: Assignment) -> None:
    columns = {name: getattr(assignment, name) for name in ("level", "image", "anchor", "row", "col")}
    for image in range(targets.images):
        rows, mine = assignment.image == image, torch.nonzero(targets.image == image).squeeze(1)
        index = flat_index(case, head, {name: column[rows] for name, column in columns.items()})
        equal(index, case.out(dtype, f"img{image}.fg_anchor"), f"anchors of image {image} {dtype}")
        equal(mine[case.out(dtype, f"img{image}.fg_gt").long()], assignment.gt[rows], f"boxes of image {image} {dtype}")
        ignored = {name: column[assignment.ignored["image"] == image] for name, column in assignment.ignored.items()}
        index = flat_index(case, head, ignored) if ignored else torch.zeros(0)
        equal(index, case.out(dtype, f"img{image}.ignored_anchor"), f"ignored anchors of image {image} {dtype}")
