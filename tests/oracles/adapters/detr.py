"""Recorded DETR cases: pairs by layer and image, losses of every layer, the weighted total, gradients."""

from __future__ import annotations

import torch
from case import Case
from compare import DTYPE, close, equal
from torch import Tensor

from detloss_cli.families import detr
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Targets

NAMES = {"loss_ce": "cls", "loss_bbox": "l1", "loss_giou": "giou"}


class Drawn(Case):
    """Its recipe draws boxes in 0..1 and makes them half as large."""

    def _drawn(self) -> dict[str, Tensor]:
        source, found = None, {}
        for name, info in self.meta["inputs"].items():
            if "recipe" not in info:
                continue
            source = source or torch.Generator().manual_seed(int(info["recipe"].split("Generator(")[1].split(")")[0]))
            found[name] = torch.rand(info["shape"], generator=source)
            if name.endswith("logits"):
                found[name] = (found[name] * 2 - 1) * 3.0
            else:
                found[name][..., 2:] = found[name][..., 2:] * 0.5 + 0.0078125
        return found


def replay(case: Case) -> None:
    case = Drawn(case.path)
    for dtype in ("f32", "f64"):
        run(case, dtype)


def run(case: Case, dtype: str) -> None:
    settings, count = case.settings, case.settings["aux_layers"] + 1
    levels = tuple(Level(f"layer{i}", 1, 1, settings["num_queries"]) for i in range(count))
    head = Head("recorded", levels, settings["nc"], (1, 1))
    weights = settings["weights"]
    costs = {name: float(settings[name]) for name in ("cost_class", "cost_bbox", "cost_giou", "eos_coef")}
    hyp = detr.Hyp(**costs, **{name: float(value) for name, value in weights.items()})
    table = case.inputs["targets"].to(DTYPE[dtype])
    targets = Targets(table[:, 0].long(), table[:, 1].long(), table[:, 2:], settings["batch"], "cxcywh")
    inputs = [
        [case.inputs[f"layer{i}.{name}"].clone().to(DTYPE[dtype]).requires_grad_() for name in ("logits", "boxes")] for i in range(count)
    ]
    predictions = DensePredictions([torch.cat((boxes, logits), 2)[:, None, None] for logits, boxes in inputs])
    assignment = detr.assign(head, hyp, targets, predictions, profile="head")
    breakdown = detr.loss(head, hyp, targets, predictions, assignment, profile="head")
    breakdown.total.backward()
    wanted = case.expected(dtype)
    values = {(term.name, term.level): term.raw for term in breakdown.terms}
    for layer in range(count):
        suffix = f"_{layer - 1}" if layer else ""
        for name, term in NAMES.items():
            close(values[term, layer], wanted["losses"][name + suffix], dtype, f"{name} of layer {layer}")
        close(
            breakdown.extra["cardinality_error"][layer],
            wanted["losses"]["cardinality_error" + suffix],
            dtype,
            f"cardinality of layer {layer}",
        )
        close([float(tensor.grad.norm()) for tensor in inputs[layer]], wanted["grad_l2"][layer], dtype, f"gradients of layer {layer}")
        pairs(case, dtype, layer, targets, assignment)
    close(breakdown.extra["class_error"], wanted["losses"]["class_error"], dtype, "class error")
    close(breakdown.total, wanted["total_weighted"], dtype, "total")


def pairs(case: Case, dtype: str, layer: int, targets: Targets, assignment: detr.Assignment) -> None:
    for image in range(targets.images):
        mine = torch.nonzero(targets.image == image).squeeze(1)
        rows = (assignment.level == layer) & (assignment.image == image)
        recorded = case.out(dtype, f"layer{layer}.img{image}.query_gt").long()
        wanted = torch.stack((recorded[:, 0], mine[recorded[:, 1]]), 1)
        equal(torch.stack((assignment.col[rows], assignment.gt[rows]), 1), wanted, f"pairs of layer {layer}, image {image} {dtype}")
