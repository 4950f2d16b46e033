"""The best constant logits against brute force over a grid of logits."""

from __future__ import annotations

import pytest
import torch

from detloss_cli.losses.bce import bce_with_logits
from detloss_cli.losses.constant_logit import LIMIT, bce_minimum, minimum
from detloss_cli.losses.elementwise import KINDS, Form

GRID = torch.linspace(-12, 12, 240001, dtype=torch.float64)


@pytest.mark.parametrize("weight", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("mean", [0.001, 0.2, 0.9])
def test_closed_form_is_where_the_mean_of_bce_is_smallest(weight, mean) -> None:
    target = torch.tensor([mean], dtype=torch.float64)
    values = bce_with_logits(GRID, target.expand_as(GRID), weight)
    assert float(bce_minimum(target, weight)) == pytest.approx(float(GRID[values.argmin()]), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_search_finds_the_smallest_value_of_every_loss(kind) -> None:
    loss = Form(kind, pos_weight=1.3, gamma=1.5)
    values, weights = torch.tensor([[0.8], [0.0]], dtype=torch.float64), torch.tensor([[0.1], [0.9]], dtype=torch.float64)
    found = loss.constant(values, weights)
    grid = sum(loss(GRID, values[i].expand_as(GRID)) * weights[i] for i in range(2))
    assert float(found) == pytest.approx(float(GRID[grid.argmin()]), abs=2e-4)


def test_no_positive_at_all_ends_at_the_limit() -> None:
    assert float(bce_minimum(torch.zeros(1, dtype=torch.float64))) == -LIMIT
    assert float(minimum(torch.nn.functional.softplus, torch.zeros(1, dtype=torch.float64))) == pytest.approx(-LIMIT, abs=1e-6)
