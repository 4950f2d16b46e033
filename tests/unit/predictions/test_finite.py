"""NaN and infinity are found by level, image and channel."""

from __future__ import annotations

import torch

from detloss_cli.predictions.finite import not_finite


def test_finite_heads_have_nothing_to_say() -> None:
    big = torch.full((2, 3, 4, 4, 7), 60000.0, dtype=torch.float16)  # a float16 sum of these would be infinite
    assert list(not_finite([big, torch.zeros(0, 3, 4, 4, 7)])) == []


def test_each_image_of_each_level() -> None:
    first, second = torch.zeros(3, 2, 4, 4, 7), torch.zeros(3, 2, 2, 2, 7, dtype=torch.float16)
    first[2, 1, 0, 3, 5] = float("nan")
    first[2, 1, 1, 3, 6] = float("inf")
    second[0, 0, 1, 1, 4] = 1e9
    found = list(not_finite([first, second]))
    assert [(bad.level, bad.image, bad.nan, bad.inf, bad.channels) for bad in found] == [(0, 2, 1, 1, (5, 6)), (1, 0, 0, 1, (4,))]
    assert found[0].first == (1, 0, 3, 5)


def test_infinities_that_cancel_are_found() -> None:
    level = torch.zeros(1, 1, 2, 2, 5)
    level[0, 0, 0, 0, 0], level[0, 0, 1, 1, 0] = float("inf"), float("-inf")
    assert [bad.inf for bad in not_finite([level])] == [2]
