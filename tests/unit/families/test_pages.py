"""Every family has a page that names its releases, its terms and its source; figures that stand in tables are computed again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from detloss_cli.families import MODULES, load
from detloss_cli.geometry.gaussian import gaussian_radius, whole_radius

PAGES = Path(__file__).resolve().parents[3] / "docs" / "families"


@pytest.mark.parametrize("family", MODULES)
def test_a_page_names_all_that_a_user_can_choose(family: str) -> None:
    text, module = (PAGES / f"{family}.md").read_text(encoding="utf-8"), load(family)
    assert f"`--family {family}`" in text
    for profile in module.PROFILES:
        assert f"`{profile}`" in text, profile
    for term in module.TERMS:
        assert re.search(rf"\b{term}\b", text), term
    repository = "torchvision" if "pytorch/vision" in module.SOURCE else module.SOURCE.split("@")[0].split(" ")[0]
    assert repository.lower() in text.lower()


def test_the_radii_of_the_page() -> None:
    rows = re.findall(
        r"^\| (\d+) x (\d+) \| ([\d.]+) \| (\d+) \| ([\d.]+) \| (\d+) \|$", (PAGES / "centernet.md").read_text(), re.MULTILINE
    )
    assert len(rows) == 7
    for width, height, *shown in rows:
        sides = np.array([float(height)]), np.array([float(width)])
        for form, (radius, whole) in {"xingyizhou": shown[:2], "zzzxxxttt": shown[2:], "cornernet": shown[2:]}.items():
            found = gaussian_radius(*sides, 0.7, form)  # type: ignore[arg-type]
            assert float(found[0]) == pytest.approx(float(radius), abs=0.006)
            assert int(whole_radius(found)[0]) == int(whole)
