"""Tags: pulled together, pushed apart, image by image."""

from __future__ import annotations

import pytest
import torch

from detloss_cli.losses.associative import nearness, pull, push, push_by_nearness


def tags(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    first, second = torch.rand(2, count, generator=source, dtype=torch.float64)
    return first, second


def test_pull_is_half_the_squared_distance_over_the_boxes_of_the_image() -> None:
    image = torch.tensor([0, 0, 1])
    first, second = tags(3)
    got = pull(first, second, image, 2)
    wanted = (first - second) ** 2 / 2 / torch.tensor([2.0001, 2.0001, 1.0001], dtype=torch.float64)
    torch.testing.assert_close(got, wanted, rtol=1e-6, atol=0)


def test_push_of_a_lonely_box_is_close_to_one_whatever_its_tags() -> None:
    lonely = torch.tensor([0])
    got = [float(push(*tags(1, seed), lonely, lonely, 1)) for seed in (0, 1)]
    assert got[0] == got[1] == pytest.approx(1, abs=1e-3)


def test_push_ends_where_tags_are_one_apart() -> None:
    place, image = torch.arange(4), torch.zeros(4, dtype=torch.int64)
    apart = torch.arange(4, dtype=torch.float64)
    assert float(push(apart, apart, image, place, 1).sum()) == pytest.approx(0, abs=1e-4)
    assert float(push(apart * 0, apart * 0, image, place, 1).sum()) == pytest.approx(1, abs=1e-3)


def test_images_do_not_see_each_other() -> None:
    first, second = tags(5)
    image, place = torch.tensor([0, 0, 2, 2, 2]), torch.tensor([0, 1, 0, 1, 2])
    whole = push(first, second, image, place, 3)
    alone = torch.cat([push(first[:2], second[:2], image[:2], place[:2], 1), push(first[2:], second[2:], image[2:] * 0, place[2:], 1)])
    torch.testing.assert_close(whole, alone)


def test_nothing_to_tag() -> None:
    none, nowhere = torch.zeros(0, requires_grad=True), torch.zeros(0, dtype=torch.int64)
    total = pull(none, none, nowhere, 2).sum() + push(none, none, nowhere, nowhere, 2).sum()
    assert total.item() == 0


def test_gradients() -> None:
    first, second = (tag.requires_grad_() for tag in tags(4))
    image, place = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 2, 0])
    assert torch.autograd.gradcheck(lambda a, b: pull(a, b, image, 2), (first, second))
    assert torch.autograd.gradcheck(lambda a, b: push(a, b, image, place, 2), (first, second))


def test_push_from_sums_of_nearness_is_push() -> None:
    first, second = (3 * column for column in tags(7))
    image, place = torch.tensor([0, 4, 4, 2, 2, 2, 2]), torch.tensor([0, 0, 1, 0, 1, 2, 3])
    got = push_by_nearness(nearness(first, second, image, place), image, 5)
    torch.testing.assert_close(got, push(first, second, image, place, 5), rtol=1e-9, atol=1e-12)
