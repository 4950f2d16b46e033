"""`inspect anchors` as a user meets it: the screen, the object, the file that a fit is written to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())


def ran(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = entry.run(["inspect", "anchors", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def body(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    code, out, _ = ran([*arguments, "--format", "json"], capsys)
    found = json.loads(out)
    jsonschema.validate(found, SCHEMA)
    assert code == found["summary"]["exit_code"]
    return found


def test_the_object_says_what_inspect_targets_says(capsys):
    anchors = body([DATA], capsys)
    assert entry.run(["inspect", "targets", DATA, "--format", "json"]) == 0
    targets = json.loads(capsys.readouterr().out)
    assert anchors["levels"] == targets["levels"]
    ours, theirs = anchors["assignment"], targets["assignment"]
    assert {key: ours[key] for key in ours if key != "unassigned"} == {key: theirs[key] for key in ours if key != "unassigned"}
    assert "collisions" not in ours
    assert ours["unassigned"]["count"] == theirs["unassigned"]["count"]
    assert [sum(row) for row in anchors["anchors"]["present"]["matches"]] == [sum(one["matches_per_anchor"]) for one in anchors["levels"]]


def test_torch_stays_unloaded():
    code = "import sys; from detloss_cli.cli.main import run; code = run(sys.argv[1:]); sys.exit(code + 100 * ('torch' in sys.modules))"
    call = [sys.executable, "-c", code, "inspect", "anchors", DATA, "--refit", "--generations", "5"]
    assert subprocess.run(call, capture_output=True).returncode == 0


def test_a_fit_is_written_and_read_back(tmp_path, capsys):
    written = tmp_path / "fitted.yaml"
    found = body([DATA, "--refit", "--generations", "50", "--seed", "7", "--write-anchors", str(written)], capsys)
    again = body([DATA, "--model", str(written)], capsys)
    assert again["anchors"]["present"] == found["anchors"]["fitted"]
    assert again["anchors"]["present"]["fitness"] > found["anchors"]["present"]["fitness"]
    assert "seed 7, 50 generations" in written.read_text()


def test_a_yaml_as_output_is_the_fit(tmp_path, capsys):
    written, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    code, out, _ = ran([DATA, "--generations", "5", "-o", str(written)], capsys)
    assert (code, "fitted" in out) == (0, True)
    ran([DATA, "--generations", "5", "--write-anchors", str(other)], capsys)
    assert written.read_text() == other.read_text()
    assert written.read_text().count("  - [") == 3


def test_a_fit_never_lands_among_the_data(tmp_path, capsys):
    shutil.copytree(ROOT / "sample_data" / "broken" / "anchor-order", tmp_path / "d")
    place = tmp_path / "d" / "labels" / "train" / "fitted.yaml"
    code, _, err = ran([str(tmp_path / "d" / "data.yaml"), "--write-anchors", str(place)], capsys)
    assert (code, place.exists()) == (2, False)
    assert err.startswith("detloss: --write-anchors: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "yolo11n"], "--model yolo11n: yolov8 has no anchors (these have: yolov5"),
        (["--family", "yolov5", "--model", "yolo11n"], "--model yolo11n: yolov5 needs a head with anchors"),
        (["--model", "retinanet"], "retinanet's anchors follow from a formula"),
        (["--write-anchors", "no/such/folder/a.yaml"], "no such folder: no/such/folder"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys):
    code, out, err = ran([DATA, *arguments], capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize("width", ["60", "80", "140"])
def test_the_screen_fits(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    _, out, _ = ran([DATA, "--refit", "--generations", "5", "--model", "yolov5s6", "--imgsz", "1280"], capsys)
    assert max(map(len, out.splitlines())) <= max(int(width), 72)
    assert "P6/64" in out
    assert "present" in out
    assert "fitted" in out


def test_a_built_in_head_without_anchors_is_fitted(capsys):
    found = body([DATA, "--model", "yolov5-p2", "--generations", "5"], capsys)["anchors"]
    assert (found["present"], found["fit_number"], found["strides"]) == (None, 12, [4, 8, 16, 32])
    assert found["fitted"]["best_possible_recall"] == 1.0


def test_a_data_set_without_boxes(tmp_path, capsys):
    shutil.copytree(ROOT / "sample_data" / "broken" / "anchor-order", tmp_path / "d")
    (tmp_path / "d" / "labels" / "train" / "a.txt").write_text("")
    found = body([str(tmp_path / "d" / "data.yaml"), "--refit"], capsys)
    assert (found["anchors"]["present"]["best_possible_recall"], found["anchors"]["fitted"]) == (None, None)
    assert [finding["rule"] for finding in found["findings"]] == ["anchors-not-fitted"]
