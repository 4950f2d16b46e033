"""`inspect labels` as a user types it: several loaders, several data sets, lists, and where they may be written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format

SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())
SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("class-out-of-range", "names-swapped", "mixed-rows"):
        shutil.copytree(SAMPLES / "broken" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = entry.run(["inspect", "labels", *arguments, "--no-cache"])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(ran(capsys, *arguments, "--format", "json")[1])
    jsonschema.validate(body, SCHEMA)
    assert set(body) <= set(SCHEMA["properties"])
    return body


@pytest.mark.usefixtures("work")
def test_everything_side_by_side_keeps_to_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    body = report(capsys, "mixed-rows", "--loader", "all", "--by", "class", "--top", "1")
    assert body["settings"]["loader"] == "strict"
    assert {one["loader"]: (one["misread"], one["images"]) for one in body["loaders"]}["yolov5-7.0"] == (1, 0)
    assert body["worst"][0]["errors"] == 1
    assert body["classes_by"]["columns"]
    assert report(capsys, "mixed-rows", "--by", "folder")["groups"]["by"] == "folder"


@pytest.mark.usefixtures("work")
def test_two_data_sets_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    body = report(capsys, "names-swapped/a", "names-swapped/b/data.yaml")
    assert [one["path"] for one in body["sets"]] == ["names-swapped/a", "names-swapped/b/data.yaml"]
    assert [row["names"] for row in body["classes_by"]["rows"]] == [["cat", "dog"], ["dog", "cat"]]
    assert [(finding["rule"], finding["path"]) for finding in body["findings"]] == [("names-swapped", "b/data.yaml")]
    assert ran(capsys, "names-swapped/a", "names-swapped/b")[1].startswith("detloss inspect labels · a + b")


@pytest.mark.usefixtures("work")
def test_lists_are_written_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = ran(capsys, "names-swapped/a", "class-out-of-range", "--write-list", "bad.txt", "--write-clean-list", "train.txt")
    assert code == 1
    bad, clean = (Path(name).read_text().splitlines() for name in ("bad.txt", "train.txt"))
    assert bad
    assert clean
    assert all(line.startswith("./class-out-of-range/images") for line in bad)
    assert not set(bad) & set(clean)
    assert all(Path(line).is_file() for line in (*bad, *clean))
    assert f"{len(bad)} picture" in said


@pytest.mark.usefixtures("work")
def test_a_list_of_the_selected_rules_alone(capsys: pytest.CaptureFixture[str]) -> None:
    ran(capsys, "class-out-of-range", "--select", "box-covers-image", "--write-list", "bad.txt")
    assert Path("bad.txt").read_text() == ""
    ran(capsys, "class-out-of-range", "--select", "DET132", "--write-list", "bad.txt")
    assert Path("bad.txt").read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--write-list", "class-out-of-range/images/train/bad.txt"), "among the data"),
        (("--write-list", "nowhere/bad.txt"), "no such folder"),
        (("--write-list", "x.txt", "--write-clean-list", "x.txt"), "named twice"),
        (("--by", "colour"), "--by"),
        (("--loader", "al"), "did you mean all"),
    ],
)
@pytest.mark.usefixtures("work")
def test_what_cannot_be_done_is_one_line(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, said = ran(capsys, "class-out-of-range", *arguments)
    assert (code, out) == (2, "")
    assert words in said
    assert said.count("\n") == 1
    assert not list(Path().glob("**/bad.txt"))


@pytest.mark.usefixtures("work")
def test_the_screen_says_whose_reading_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "strict loader: no family is named" in ran(capsys, "mixed-rows")[1]
    assert "yolov7 loader" in ran(capsys, "mixed-rows", "--trainer", "yolov7")[1]
