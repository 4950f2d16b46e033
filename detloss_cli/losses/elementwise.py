"""The loss of one logit against one target, chosen by name: what a what-if puts side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from detloss_cli.losses.bce import bce_of_nothing, bce_with_logits, blur
from detloss_cli.losses.constant_logit import bce_minimum, minimum
from detloss_cli.losses.focal import focal, quality_focal

Elementwise = Callable[[Tensor, Tensor], Tensor]
KINDS = ("bce", "focal", "qfocal", "blur")


@dataclass(frozen=True, slots=True)
class Form:
    """A function of logits and targets, unreduced.

    kind: one of `KINDS`. pos_weight: weight of the positive part, in all of them. gamma, alpha: of focal and qfocal.
    """

    kind: str = "bce"
    pos_weight: float = 1.0
    gamma: float = 0.0
    alpha: float | None = 0.25

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"expected one of {KINDS}, got {self.kind!r}")

    def __call__(self, logit: Tensor, target: Tensor) -> Tensor:
        bce = bce_with_logits(logit, target, self.pos_weight)
        if self.kind == "focal":
            return focal(bce, logit, target, self.gamma, self.alpha)
        if self.kind == "qfocal":
            return quality_focal(bce, logit, target, self.gamma, self.alpha)
        return blur(bce, logit, target) if self.kind == "blur" else bce

    def absent(self, logit: Tensor) -> Tensor:
        """The loss against targets that are all 0, without building them; the same bits."""
        return bce_of_nothing(logit) if self.kind == "bce" else self(logit, logit.new_zeros(()).expand_as(logit))

    def everywhere(self, logit: Tensor, target: float) -> Tensor:
        """The loss against one target for all, in a tensor of its own."""
        return self.absent(logit) if target == 0.0 else self(logit, torch.full_like(logit, target))

    @property
    def affine(self) -> bool:
        """Whether the loss is a straight line in the target, so that of many targets their mean is all that counts."""
        return self.kind == "bce"

    def constant(self, values: Tensor, weights: Tensor) -> Tensor:
        """The logit that minimises sum_k weights[k] loss(x, values[k]) for each column: closed for plain BCE, else by search.

        Args:
            values: (K, 1) or (K, C) targets. weights: (K, C), each column summing to 1 or to 0.
        """
        if self.affine:
            return bce_minimum((values * weights).sum(0), self.pos_weight)
        return minimum(lambda x: (self(x.expand_as(weights), values.expand_as(weights)) * weights).sum(0), weights[0])


class FormKeys(Protocol):
    """Keys of a hyp that decide on the form of its objectness and class losses."""

    @property
    def element(self) -> str | None: ...
    @property
    def fl_gamma(self) -> float: ...
    @property
    def obj_pw(self) -> float: ...
    @property
    def cls_pw(self) -> float: ...


def forms(hyp: FormKeys) -> tuple[Form, Form]:
    """Objectness and class loss of a hyp: BCE, focal where `fl_gamma` is above 0, or what `element` names instead."""
    kind = hyp.element or ("focal" if hyp.fl_gamma > 0 else "bce")
    return Form(kind, hyp.obj_pw, hyp.fl_gamma), Form(kind, hyp.cls_pw, hyp.fl_gamma)
