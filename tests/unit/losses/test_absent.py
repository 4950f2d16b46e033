"""Loss against targets that are all 0, never built: the bits of the built ones."""

from __future__ import annotations

import pytest
import torch

from detloss_cli.losses.bce import bce_of_nothing, sum_of_nothing
from detloss_cli.losses.elementwise import KINDS, Form
from detloss_cli.losses.reduce import means_over_planes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weight", [1.0, 0.6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_same_bits_as_against_zeros(kind, weight, dtype) -> None:
    form = Form(kind, weight, 1.5)
    logit = torch.cat((torch.linspace(-90, 90, 1001, dtype=dtype), torch.randn(999, dtype=dtype, generator=torch.manual_seed(0))))
    assert torch.equal(form.absent(logit), form(logit, torch.zeros_like(logit)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_plane_with_few_slots_and_its_gradient(kind) -> None:
    form, source = Form(kind, 0.6, 1.5), torch.manual_seed(0)
    plane = torch.randn(2, 3, 5, 7, dtype=torch.float64, generator=source).requires_grad_()
    slots = (torch.tensor([0, 1, 1]), torch.tensor([2, 0, 1]), torch.tensor([4, 0, 3]), torch.tensor([6, 1, 2]))
    target = torch.tensor([0.3, 1.0, 0.7], dtype=torch.float64)
    logit = plane[slots]
    flat = ((slots[0] * 3 + slots[1]) * 5 + slots[2]) * 7 + slots[3]
    other = torch.randn(2, 3, 4, 6, dtype=torch.float64, generator=source)  # laid before it, no slot of its own
    alone, found = means_over_planes([other, plane], other.numel() + flat, form(logit, target), form)
    built = form(plane, torch.zeros_like(plane).index_put(slots, target)).mean()
    torch.testing.assert_close(alone, form(other, torch.zeros_like(other)).mean(), rtol=1e-12, atol=0)
    torch.testing.assert_close(found, built, rtol=1e-12, atol=0)
    own, other = (torch.autograd.grad(value, plane, retain_graph=True)[0] for value in (found, built))
    torch.testing.assert_close(own, other, rtol=1e-10, atol=1e-15)


def plane_of(dtype, fill: float = -8.0) -> torch.Tensor:
    """(8, 3, 80, 80) logits of a trained head, with other channels between its cells."""
    logits = torch.randn(8, 3, 80, 80, 6, generator=torch.manual_seed(0)) + fill
    return logits.to(dtype)[..., 4]


def test_sure_slots_cost_no_digits_of_the_rest() -> None:
    form, plane = Form(), plane_of(torch.float32)
    plane[:, :, ::8, ::8] = 40.0  # wrong by 40 against 0, right by 0 against 1
    slot = torch.nonzero((plane == 40.0).reshape(-1)).squeeze(1)
    (found,) = means_over_planes([plane], slot, torch.zeros(len(slot)), form)
    built = form(plane, (plane == 40.0).float()).double().mean()
    torch.testing.assert_close(found.double(), built, rtol=2e-7, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sums_of_16_bits_do_not_overflow(dtype) -> None:
    plane = plane_of(dtype, 12.0)  # 12 times 153,600 cells
    (found,) = means_over_planes([plane], torch.zeros(0, dtype=torch.int64), plane.new_zeros(0), Form())
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), plane.float().mean(), rtol=8e-3, atol=0)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    plane, before, found = plane_of(torch.float32), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 5):
            torch.set_num_threads(threads)
            found += means_over_planes([plane], torch.tensor([7]), torch.ones(1), Form())
    finally:
        torch.set_num_threads(before)
    assert len({float(one) for one in found}) == 1


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("layout", [(0, 1, 2, 3, 4), (0, 1, 4, 2, 3)], ids=["channels-last", "channels-first"])
def test_sums_in_pieces_are_those_of_the_whole(layout, weighed, monkeypatch) -> None:
    monkeypatch.setattr("detloss_cli.losses.bce.PIECE", 500)  # two images of 240 values at a time
    whole = torch.randn(5, 1, 8, 5, 9, dtype=torch.float64, generator=torch.manual_seed(0))
    logit = torch.empty([whole.shape[axis] for axis in layout], dtype=torch.float64).permute([layout.index(axis) for axis in range(5)])
    logit = logit.copy_(whole)[..., 3:].requires_grad_()
    factors = torch.linspace(0.5, 2, 6, dtype=torch.float64) if weighed else None
    found, built = sum_of_nothing(logit, factors), (bce_of_nothing(logit) * (1 if factors is None else factors)).sum()
    torch.testing.assert_close(found, built, rtol=1e-13, atol=0)
    own, other = (torch.autograd.grad(value, logit)[0] for value in (found, built))
    torch.testing.assert_close(own, other, rtol=1e-13, atol=0)
