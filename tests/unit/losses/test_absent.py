"""Loss against targets that are all 0, never built: the bits of the built ones."""

from __future__ import annotations

import pytest
import torch

from detloss_cli.losses.elementwise import KINDS, Form
from detloss_cli.losses.reduce import mean_over_plane


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
    found = mean_over_plane(plane, slots[1], logit, form(logit, target), form)
    built = form(plane, torch.zeros_like(plane).index_put(slots, target)).mean()
    torch.testing.assert_close(found, built, rtol=1e-12, atol=0)
    own, other = (torch.autograd.grad(value, plane, retain_graph=True)[0] for value in (found, built))
    torch.testing.assert_close(own, other, rtol=1e-10, atol=1e-15)
