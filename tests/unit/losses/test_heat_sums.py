"""Sums of heat maps that are never drawn, against maps that are."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from detloss_cli.losses import heat_overlap
from detloss_cli.losses.heat_penalty import Penalties
from detloss_cli.losses.heat_sums import HeatSums, KeyPoints, heat_sums, joined_heat
from detloss_cli.losses.stack import Stack
from detloss_cli.targets.heatmap import draw_heatmap

ROWS, COLS, CLASSES, SIZE = 12, 17, 3, 2


def points_of(seed: int, count: int, images: int, beyond: int = 0) -> KeyPoints:
    """beyond: how far a key point may lie off the map."""
    rng = np.random.default_rng(seed)
    image = np.sort(rng.integers(0, images, count))
    x, y = rng.integers(-beyond, COLS + beyond, count), rng.integers(-beyond, ROWS + beyond, count)
    return KeyPoints(image, rng.integers(0, CLASSES, count), x, y, rng.integers(0, 7, count))


def sums_of(points: KeyPoints, images: int) -> HeatSums:
    return heat_sums(points, CLASSES, ROWS, COLS, Stack(images, SIZE), Penalties())


def drawn(points: KeyPoints, images: int) -> HeatSums:
    columns = (torch.from_numpy(column) for column in (points.image, points.cls, points.x, points.y, points.radius))
    heat = draw_heatmap(*columns, (images, CLASSES, ROWS, COLS)).dense().double().numpy()
    batches = [heat[first : first + SIZE] for first in range(0, images, SIZE)]
    return HeatSums(
        cells=np.array([len(batch) * ROWS * COLS for batch in batches], dtype=np.float64),
        taken=np.stack([(1 - (1 - batch) ** 4).sum(axis=(0, 2, 3)) for batch in batches]),
        centres=np.stack([(batch == 1).sum(axis=(0, 2, 3)) for batch in batches]),
        covered=np.array([(batch > 0).sum() for batch in batches]),
    )


@pytest.mark.parametrize("beyond", [0, 9])
@pytest.mark.parametrize(("count", "images"), [(0, 3), (1, 1), (9, 5), (60, 7), (400, 3)])
def test_sums_are_those_of_drawn_maps(count, images, beyond) -> None:
    for seed in range(6):
        points = points_of(seed, count, images, beyond)
        found, wanted = sums_of(points, images), drawn(points, images)
        assert found.cells.tolist() == wanted.cells.tolist()
        assert found.centres.tolist() == wanted.centres.tolist()
        assert found.covered.tolist() == wanted.covered.tolist()
        np.testing.assert_allclose(found.taken, wanted.taken, rtol=1e-12, atol=1e-11)


def test_what_is_drawn_at_once_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    points = points_of(1, 200, 9)
    whole = sums_of(points, 9)
    monkeypatch.setattr(heat_overlap, "MOST_CELLS", 30)
    for one, other in zip(values(sums_of(points, 9)), values(whole), strict=True):
        np.testing.assert_array_equal(one, other)


def test_stacks_side_by_side_change_no_bit() -> None:
    points, images = points_of(2, 150, 8), 8
    parts = []
    for first in range(0, images, 4):
        mine = (points.image >= first) & (points.image < first + 4)
        image, *columns = (getattr(points, name.name)[mine] for name in fields(KeyPoints))
        parts.append(sums_of(KeyPoints(image - first, *columns), 4))
    for one, other in zip(values(joined_heat(parts)), values(sums_of(points, images)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_but_what_windows_share_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two windows of 7 x 7 that share 2 x 7 cells, one of another class and one far off."""
    seen = []
    inner = heat_overlap._cells
    monkeypatch.setattr(heat_overlap, "_cells", lambda *given: seen.append(inner(*given)) or seen[-1])
    x, y, cls = np.array([3, 8, 3, 13]), np.array([3, 3, 3, 8]), np.array([0, 0, 1, 0])
    sums_of(KeyPoints(np.zeros(4, dtype=np.int64), cls, x, y, np.array([3, 3, 3, 1])), 1)
    assert [len(place) for place, _ in seen] == [2 * 2 * 7]


def values(sums: HeatSums) -> list[np.ndarray]:
    return [getattr(sums, column.name) for column in fields(HeatSums)]
