"""What each command prints, at three widths, as files that a person has looked at. DETLOSS_REWRITE=1 writes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import made_comparisons
import made_inspections
import made_runs
import pytest

from detloss_cli.facts import Facts
from detloss_cli.finding import Finding
from detloss_cli.report import json_format, rich_format, text_format
from detloss_cli.report.look import Look
from detloss_cli.report.report import Report, build

FOLDER = Path(__file__).parent
WIDTHS = (80, 100, 140)
COLLISION = Finding("DET402", "slot-collision", "warning", "competes for the same cell", None, None, 512)
# name of the golden files -> what is rendered
RUNS: dict[str, Callable[[], tuple[Facts, list[Finding]]]] = {
    "compute": lambda: (made_runs.yolov5(), [COLLISION, COLLISION]),
    "compute-keras-yolo3": lambda: (made_runs.keras_yolo3(), []),
    "compute-centernet": lambda: (made_runs.centernet(), []),
    "inspect-labels": made_inspections.label_run,
    "inspect-targets": lambda: (made_inspections.targets(), []),
    "inspect-anchors": lambda: (made_inspections.anchors(), []),
    "inspect-hyp": lambda: (made_inspections.hyp(), []),
    "compare": lambda: (made_comparisons.compared_runs(), []),
    "sweep": lambda: (made_comparisons.swept(), [COLLISION]),
    "sweep-two": lambda: (made_comparisons.swept_twice(), []),
}


def made(name: str) -> Report:
    facts, findings = RUNS[name]()
    return build(facts.command, facts, findings)


def held(path: Path, text: str) -> None:
    if os.environ.get("DETLOSS_REWRITE") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", RUNS)
def test_text(name: str, width: int) -> None:
    held(FOLDER / f"{name}.{width}.txt", text_format.render(made(name), Look(width)))


@pytest.mark.parametrize("name", RUNS)
def test_json(name: str) -> None:
    held(FOLDER / f"{name}.json", json_format.render(made(name), Look()))


def test_colours() -> None:
    held(FOLDER / "compute.80.ansi", rich_format.render(made("compute"), Look(80, "standard")))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [name for name in RUNS if name.startswith("compute")])
def test_the_main_screen_fits(name: str, width: int) -> None:
    lines = text_format.render(made(name), Look(width)).splitlines()
    assert max(len(line) for line in lines) <= width
    assert len(lines) < 32


@pytest.mark.parametrize("name", RUNS)
def test_rich_without_colours_is_text(name: str) -> None:
    rich, text = (one.render(made(name), Look(100)).splitlines() for one in (rich_format, text_format))
    assert set(rich) - set(text) <= {"  and 4 more: --format text lists them"}
