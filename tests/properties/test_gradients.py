"""Gradients against finite differences in float64, and the identities between losses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.autograd import gradcheck

from detloss_cli.geometry import iou as overlaps
from detloss_cli.geometry.iou import PLAIN, YOLOV5_62, iou
from detloss_cli.losses.bce import bce_with_logits, blur
from detloss_cli.losses.focal import focal, quality_focal


@pytest.fixture
def boxes() -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(3)
    one = torch.rand((12, 4), generator=source, dtype=torch.float64) + 0.3
    two = torch.rand((12, 4), generator=source, dtype=torch.float64) + 0.3
    return one.requires_grad_(), two


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(4)
    logit = torch.randn(20, generator=source, dtype=torch.float64) * 3
    return logit.requires_grad_(), torch.rand(20, generator=source, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["iou", "giou", "diou"])
def test_overlap_gradients(kind: Any, boxes) -> None:
    assert gradcheck(lambda one: iou(one, boxes[1], kind=kind, form=YOLOV5_62, frame="cxcywh"), boxes[0])


def test_ciou_gradient_with_alpha_frozen(boxes, monkeypatch: pytest.MonkeyPatch) -> None:
    """alpha carries no gradient: held at its value for the check, the rest is differentiable, and the value is the same."""
    one, two = boxes
    frozen: list[torch.Tensor] = []
    monkeypatch.setattr(overlaps, "_without_gradient", lambda alpha: frozen.append(alpha.detach()) or frozen[0])
    assert gradcheck(lambda box: iou(box, two, kind="ciou", form=YOLOV5_62, frame="cxcywh"), one)
    monkeypatch.undo()
    direct = torch.autograd.grad(iou(one, two, kind="ciou", form=YOLOV5_62, frame="cxcywh").sum(), one)[0]
    monkeypatch.setattr(overlaps, "_without_gradient", lambda alpha: frozen[0])
    held = torch.autograd.grad(iou(one, two, kind="ciou", form=YOLOV5_62, frame="cxcywh").sum(), one)[0]
    torch.testing.assert_close(direct, held, rtol=1e-12, atol=0)


@pytest.mark.parametrize("weight", [None, 0.5, 2.0])
def test_bce_gradient(weight: float | None, logits) -> None:
    assert gradcheck(lambda x: bce_with_logits(x, logits[1], weight), logits[0])


@pytest.mark.parametrize("gamma", [0.5, 1.5, 2.0])
@pytest.mark.parametrize("modulate", [focal, quality_focal])
def test_focal_gradients(modulate: Any, gamma: float, logits) -> None:
    assert gradcheck(lambda x: modulate(bce_with_logits(x, logits[1]), x, logits[1], gamma), logits[0])


def test_blur_gradient(logits) -> None:
    assert gradcheck(lambda x: blur(bce_with_logits(x, logits[1]), x, logits[1], 0.2), logits[0])


def test_focal_gamma_zero_is_bce(logits) -> None:
    logit, target = logits
    bce = bce_with_logits(logit, target, 1.7)
    for modulate in (focal, quality_focal):
        torch.testing.assert_close(modulate(bce, logit, target, 0.0, None), bce, rtol=0, atol=0)


def test_bce_is_the_stable_form_at_extreme_logits() -> None:
    logit = torch.tensor([-800.0, -80.0, 0.0, 80.0, 800.0])
    for target in (0.0, 0.3, 1.0):
        y = torch.full_like(logit, target)
        expected = (1 - y) * logit + (1 + (2.0 - 1) * y) * (torch.log1p(torch.exp(-logit.abs())) + (-logit).clamp(min=0))
        torch.testing.assert_close(bce_with_logits(logit, y, 2.0), expected)


def test_overlap_of_a_box_with_itself_is_one() -> None:
    box = torch.tensor([[0.5, 0.5, 0.2, 0.3]], dtype=torch.float64)
    for kind in ("iou", "giou", "diou"):
        assert float(iou(box, box, kind=kind, form=PLAIN, frame="cxcywh")) == pytest.approx(1.0)
