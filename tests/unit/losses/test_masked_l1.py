"""Size and offset terms, their divisors, and the constants that minimise them."""

from __future__ import annotations

import pytest
import torch

from detloss_cli.losses.l1_constant import l1_minimum
from detloss_cli.losses.masked_l1 import L1Kind, divisor, masked_l1

KINDS: tuple[L1Kind, ...] = ("l1", "sl1", "norm")


def test_closed_forms() -> None:
    out, target = torch.tensor([[5.0, 2.5]], dtype=torch.float64), torch.tensor([[2.0, 2.0]], dtype=torch.float64)
    assert masked_l1(out, target, "l1").tolist() == [[3.0, 0.5]]
    assert masked_l1(out, target, "sl1").tolist() == [[2.5, 0.125]]
    assert masked_l1(out, target, "norm")[0].tolist() == pytest.approx([5 / 2.0001 - 1, 2.5 / 2.0001 - 1])


def test_divisors_count_both_values_but_for_smooth_l1() -> None:
    assert [divisor(6, kind) for kind in KINDS] == [12.0001, 6.0001, 12.0001]
    assert masked_l1(torch.zeros(0, 2), torch.zeros(0, 2)).sum() / divisor(0) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind: L1Kind) -> None:
    torch.manual_seed(1)
    out = (torch.randn(5, 2, dtype=torch.float64) * 3).requires_grad_()
    target = torch.rand(5, 2, dtype=torch.float64) * 4 + 0.5
    assert torch.autograd.gradcheck(lambda x: masked_l1(x, target, kind), (out,))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_no_constant_is_better(kind: L1Kind, count: int) -> None:
    torch.manual_seed(count)
    target, weight = torch.rand(count, 2, dtype=torch.float64) * 9 + 0.1, torch.rand(count, dtype=torch.float64) + 0.1
    best = l1_minimum(target, weight, kind)

    def cost(shift: float) -> torch.Tensor:
        return (masked_l1((best + shift).expand_as(target), target, kind) * weight[:, None]).sum(0)

    for shift in (-1.0, -1e-3, 1e-3, 1.0):
        assert (cost(0.0) <= cost(shift) + 1e-12).all()


def test_no_rows_have_the_constant_zero() -> None:
    assert l1_minimum(torch.zeros(0, 2), torch.zeros(0), "l1").tolist() == [0.0, 0.0]
