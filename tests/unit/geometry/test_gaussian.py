"""The radius against what it means, and one arithmetic for both array libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.geometry.gaussian import RadiusForm, gaussian_radius, gaussian_windows, whole_radius, window_sizes

FORMS: tuple[RadiusForm, ...] = ("xingyizhou", "zzzxxxttt", "cornernet")
SIDES = np.stack(np.meshgrid(np.arange(1, 129), np.arange(1, 129)), -1).reshape(-1, 2)


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.floats(0.05, 0.95))
def test_cornernet_radius_is_how_far_corners_may_move(height: int, width: int, overlap: float) -> None:
    r = float(gaussian_radius(np.asarray([height]), np.asarray([width]), overlap, "cornernet")[0])
    area = height * width
    shifted = (height - r) * (width - r)
    worst = [shifted / (2 * area - shifted), (height - 2 * r) * (width - 2 * r) / area, area / ((height + 2 * r) * (width + 2 * r))]
    assert min(worst) == pytest.approx(overlap, rel=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("overlap", [0.3, 0.5, 0.7])
def test_radius_is_the_same_number_in_numpy_and_torch_and_either_way_round(form: RadiusForm, overlap: float) -> None:
    one = gaussian_radius(SIDES[:, 0], SIDES[:, 1], overlap, form)
    other = gaussian_radius(torch.from_numpy(SIDES[:, 0]), torch.from_numpy(SIDES[:, 1]), overlap, form)
    np.testing.assert_array_equal(one, other.numpy())
    np.testing.assert_allclose(one, gaussian_radius(SIDES[:, 1], SIDES[:, 0], overlap, form), rtol=1e-9)


def test_forms_differ_by_what_the_docs_say() -> None:
    x, z, c = (gaussian_radius(np.asarray([10]), np.asarray([10]), 0.7, form)[0] for form in FORMS)
    assert (round(x, 4), round(z, 4), round(c, 4)) == (2.7332, 0.8167, 0.8167)


def test_whole_radius_truncates_and_is_never_negative() -> None:
    assert whole_radius(np.asarray([-2.5, -0.5, 0.99, 1.0, 7.9])).tolist() == [0, 0, 0, 1, 7]


def test_gaussian_is_one_at_its_centre_and_cut_at_the_border() -> None:
    drawn = gaussian_windows(torch.tensor([0]), torch.tensor([5]), torch.tensor([3]), 8, 8)
    assert sorted(set(drawn.col.tolist())) == [0, 1, 2, 3]
    assert sorted(set(drawn.row.tolist())) == [2, 3, 4, 5, 6, 7]
    at = {(r, c): v for r, c, v in zip(drawn.row.tolist(), drawn.col.tolist(), drawn.value.tolist(), strict=True)}
    assert at[5, 0] == 1.0
    assert at[7, 3] == pytest.approx(np.exp(-(4 + 9) / (2 * (7 / 6) ** 2)), rel=1e-6)


@pytest.mark.parametrize(("x", "wide"), [(-4, 0), (-3, 1), (-1, 3), (0, 4), (8, 3), (10, 1), (11, 0), (14, -3)])
def test_windows_of_centres_beyond_the_map(x: int, wide: int) -> None:
    got, _ = window_sizes(np.asarray([x]), np.asarray([4]), np.asarray([3]), 8, 8)
    assert int(got[0]) == wide
    assert len(gaussian_windows(np.asarray([x]), np.asarray([4]), np.asarray([3]), 8, 8).value) == max(0, wide) * 7
