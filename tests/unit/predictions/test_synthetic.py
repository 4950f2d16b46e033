"""Noise that does not depend on order, batch or device."""

from __future__ import annotations

import torch

from detloss_cli.inputs.head import Level
from detloss_cli.predictions.synthetic import NoiseHead

LEVELS = (Level("P3", 8, 4, 5, ((10.0, 13.0),)), Level("P4", 16, 2, 3, ((30.0, 61.0),)))


def noise(first: int, images: int, seed: int = 0) -> NoiseHead:
    return NoiseHead(LEVELS, (1, 1), 7, images, seed=seed, first_image=first, dtype=torch.float32, device=torch.device("cpu"))


def test_an_image_gets_the_same_noise_in_any_batch() -> None:
    whole, tail = noise(0, 4), noise(2, 2)
    for level in range(2):
        torch.testing.assert_close(whole.dense(level)[2:], tail.dense(level), rtol=0, atol=0)


def test_images_levels_and_seeds_differ() -> None:
    one = noise(0, 2)
    assert not torch.equal(one.dense(0)[0], one.dense(0)[1])
    assert not torch.equal(one.dense(0)[0, 0, :2, :3], one.dense(1)[0, 0])
    assert not torch.equal(one.dense(0), noise(0, 2, seed=1).dense(0))


def test_noise_is_standard_normal() -> None:
    values = torch.cat([noise(i, 1).dense(0).flatten() for i in range(200)])
    assert abs(float(values.mean())) < 0.02
    assert abs(float(values.std()) - 1) < 0.02
