"""The heat-map loss: closed forms, gradients, and where there are none."""

from __future__ import annotations

import math

import pytest
import torch

from detloss_cli.losses.heatmap_focal import heat_probability, heatmap_focal, negative_focal, negative_weight, over_centres, positive_focal


def test_closed_form_at_logit_zero() -> None:
    zero = torch.zeros(1, dtype=torch.float64)
    assert float(positive_focal(zero)) == pytest.approx(0.25 * math.log(2))
    assert float(heatmap_focal(zero, torch.full_like(zero, 0.5))) == pytest.approx(0.5**4 * 0.25 * math.log(2))
    assert float(heatmap_focal(zero, torch.ones_like(zero))) == float(positive_focal(zero))


def test_almost_one_is_a_negative_of_hardly_any_weight() -> None:
    logit, target = torch.tensor([3.0], dtype=torch.float64), torch.tensor([1 - 1e-3], dtype=torch.float64)
    assert float(heatmap_focal(logit, target)) == pytest.approx(1e-12 * float(negative_focal(logit)), rel=1e-9)


def test_gradients() -> None:
    torch.manual_seed(0)
    logit = (torch.randn(3, 4, dtype=torch.float64) * 3).requires_grad_()
    target = torch.rand(3, 4, dtype=torch.float64)
    target[0] = 1.0
    assert torch.autograd.gradcheck(lambda x: heatmap_focal(x, target), (logit,))


@pytest.mark.parametrize("value", [-12.0, 12.0])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_the_clamp_ends_the_gradient(value: float, target: float) -> None:
    logit = torch.tensor([value], requires_grad=True)
    heatmap_focal(logit, torch.tensor([target])).sum().backward()
    assert float(logit.grad) == 0.0  # type: ignore[arg-type]
    assert float(heat_probability(logit.detach())) == pytest.approx(1e-4 if value < 0 else 1 - 1e-4, rel=1e-6)


def test_without_centres_the_sum_is_not_divided() -> None:
    total = torch.tensor(12.0)
    assert [float(over_centres(total, n)) for n in (0, 1, 4)] == [12.0, 12.0, 3.0]
    assert float(negative_weight(torch.zeros(()))) == 1.0
