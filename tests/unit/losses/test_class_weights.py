"""Class weights against what ultralytics 8.4.190 printed for the same counts."""

from __future__ import annotations

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.losses.class_weights import frequency_weights


@pytest.mark.parametrize(
    ("counts", "power", "wanted"),
    [
        ([10, 0, 5], 0.5, [0.8284, 1.0, 1.1716]),
        ([100, 1, 1], 1.0, [0.0149, 1.4925, 1.4925]),
        ([100, 1, 1], 0.5, [0.1429, 1.4286, 1.4286]),
        ([3, 9], 0.0, [1.0, 1.0]),
    ],
)
def test_recorded(counts: list[int], power: float, wanted: list[float]) -> None:
    assert list(frequency_weights(counts, power)) == pytest.approx(wanted, abs=1e-4)


def test_classes_that_occur_have_mean_one() -> None:
    weights = frequency_weights([7, 0, 3, 250], 0.7)
    assert sum(weights) - weights[1] == pytest.approx(3)


def test_no_boxes_at_all() -> None:
    assert frequency_weights([0, 0], 1.0) == (1.0, 1.0)
    assert frequency_weights([], 1.0) == ()


@pytest.mark.parametrize("power", [-0.1, 1.1])
def test_a_power_outside_is_refused(power: float) -> None:
    with pytest.raises(DetlossError, match=r"outside 0\.\.1"):
        frequency_weights([1], power)
