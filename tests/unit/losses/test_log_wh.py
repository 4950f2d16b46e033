"""Squared error of sizes in log space."""

from __future__ import annotations

import math

import torch

from detloss_cli.losses.log_wh import log_wh_squared, log_wh_target


def test_a_box_of_the_anchors_size_has_logit_zero() -> None:
    wh, anchors, size = torch.tensor([[0.25, 0.5]]), torch.tensor([[80.0, 160.0]]), torch.tensor([320.0, 320.0])
    assert log_wh_target(wh, anchors, size).tolist() == [[0.0, 0.0]]
    torch.testing.assert_close(log_wh_target(wh * 2, anchors, size), torch.full((1, 2), math.log(2)))


def test_sides_that_are_not_above_zero_are_not_hidden() -> None:
    wh, anchors, size = torch.tensor([[0.0, -0.5]]), torch.tensor([[80.0, 160.0]]), torch.tensor([320.0, 320.0])
    target = log_wh_target(wh, anchors, size)
    assert target[0, 0] == -math.inf
    assert target[0, 1].isnan()
    assert log_wh_squared(torch.zeros(1, 2), target)[0, 0] == math.inf


def test_half_the_square_of_the_distance() -> None:
    logit = torch.tensor([[0.5, -1.0]], dtype=torch.float64, requires_grad=True)
    value = log_wh_squared(logit, torch.tensor([[1.5, 1.0]], dtype=torch.float64))
    assert value.tolist() == [[0.5, 2.0]]
    value.sum().backward()
    assert logit.grad is not None
    assert logit.grad.tolist() == [[-1.0, -2.0]]
