"""Distances as distributions: closed forms, and that answers are answers."""

from __future__ import annotations

import math

import pytest
import torch

from detloss_cli.losses.dfl import answer_logits, distribution_loss, side_distances, side_l1

DOUBLE = torch.float64


def test_a_uniform_distribution_expects_the_middle() -> None:
    assert side_distances(torch.full((2, 64), 1.0, dtype=DOUBLE), 16).flatten().tolist() == pytest.approx([7.5] * 8)


def test_without_a_distribution_the_distance_is_the_value() -> None:
    raw = torch.randn(3, 4, dtype=DOUBLE)
    assert side_distances(raw, 1) is raw
    assert answer_logits(raw, 1) is raw


def test_sides_stand_one_after_the_other() -> None:
    raw = torch.full((1, 16), -50.0, dtype=DOUBLE)
    raw[0, [0, 4 + 1, 8 + 2, 12 + 3]] = 50.0
    assert side_distances(raw, 4).tolist()[0] == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_loss_of_a_uniform_distribution_is_the_log_of_its_bins() -> None:
    loss = distribution_loss(torch.zeros(2, 64, dtype=DOUBLE), torch.rand(2, 4, dtype=DOUBLE) * 15, 16)
    assert loss.tolist() == pytest.approx([math.log(16)] * 2)


def test_loss_by_hand() -> None:
    """d = 1.25 in 4 bins: .75 of bin 1 and .25 of bin 2."""
    logits = torch.tensor([[0.1, 0.7, -0.4, 0.2]], dtype=DOUBLE)
    p = logits[0].softmax(0)
    wanted = -(0.75 * math.log(p[1]) + 0.25 * math.log(p[2]))
    assert distribution_loss(logits.repeat(1, 4), torch.full((1, 4), 1.25, dtype=DOUBLE), 4).item() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(("distance", "seen_as"), [(-3.0, 0.0), (0.0, 0.0), (14.99, 14.99), (15.0, 14.99), (400.0, 14.99)])
def test_targets_are_clamped_short_of_the_last_bin(distance: float, seen_as: float) -> None:
    raw = torch.randn(1, 64, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    one, other = (distribution_loss(raw, torch.full((1, 4), value, dtype=DOUBLE), 16) for value in (distance, seen_as))
    assert one.item() == pytest.approx(other.item(), rel=1e-12)


def test_answers_decode_to_their_distance_and_cost_least() -> None:
    distance = torch.tensor([[0.0, 3.3, 7.5, 14.2], [1.0, 14.99, 0.01, 9.0]], dtype=DOUBLE)
    answer = answer_logits(distance, 16)
    torch.testing.assert_close(side_distances(answer, 16), distance, rtol=0, atol=1e-6)
    least = distribution_loss(answer, distance, 16)
    for seed in range(5):
        moved = answer + torch.randn(answer.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed)) * 0.1
        assert (distribution_loss(moved, distance, 16) > least).all()


def test_l1_is_a_part_of_the_input() -> None:
    """2 cells of 16 px off on the left, 1 on top: 32 / 640 of the width and 16 / 320 of the height, over four sides."""
    predicted, wanted = torch.tensor([[3.0, 2.0, 5.0, 5.0]]), torch.tensor([[1.0, 1.0, 5.0, 5.0]])
    assert side_l1(predicted, wanted, 16, (320, 640)).item() == pytest.approx((32 / 640 + 16 / 320) / 4)


def test_gradients() -> None:
    raw = torch.randn(2, 32, dtype=DOUBLE, requires_grad=True, generator=torch.Generator().manual_seed(1))
    distance = torch.rand(2, 4, dtype=DOUBLE, generator=torch.Generator().manual_seed(2)) * 7
    assert torch.autograd.gradcheck(lambda x: distribution_loss(x, distance, 8), (raw,))
    assert torch.autograd.gradcheck(lambda x: side_distances(x, 8), (raw,))


def test_no_rows() -> None:
    none = torch.zeros(0, 4)
    assert side_distances(torch.zeros(0, 64), 16).shape == (0, 4)
    assert distribution_loss(torch.zeros(0, 64), none, 16).shape == (0,)
    assert side_l1(none, none, 8, (64, 64)).shape == (0,)
    assert answer_logits(none, 16).shape == (0, 64)
