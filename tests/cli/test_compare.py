"""Saving, comparing and sweeping as a user does: screens that answer, JSON that keeps its contract, one line for each mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
MIXED = str(ROOT / "sample_data" / "broken" / "mixed-rows")
SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())
VAL = (DATA, "--split", "val", "--no-cache", "--quiet")


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = entry.run(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, err = ran(capsys, *arguments, "--format", "json")
    assert (code, err) == (0, "")
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    return body


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("runs")
    paths = (str(folder / "small.npz"), str(folder / "large.npz"))
    for path, side in zip(paths, ("640", "160"), strict=True):
        assert entry.run(["compute", *VAL, "--imgsz", side, "--save", path, "-o", str(folder / "out.json")]) == 0
    return paths


def test_the_installed_command(tmp_path: Path) -> None:
    """Saved by one process, compared by another, which needs no torch for that."""
    run = tmp_path / "run.npz"
    code = "import sys; from detloss_cli.cli.main import run; code = run(sys.argv[1:]); print('torch' in sys.modules); sys.exit(code)"
    env = {**os.environ, "COLUMNS": "80"}

    def detloss(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, cwd=ROOT)

    assert detloss("inspect", "targets", *VAL, "--save", str(run)).returncode == 0
    other = tmp_path / "other.npz"
    assert detloss("inspect", "targets", *VAL, "--imgsz", "160", "--save", str(other)).returncode == 0
    done = detloss("compare", str(run), str(other))
    assert (done.returncode, done.stderr) == (0, "")
    assert "lose every positive in other.npz" in done.stdout
    assert done.stdout.rstrip().endswith("False")


def test_saved_runs(saved: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    body = told(capsys, "compare", *saved)
    assert body["compare"]["option"] is None
    assert [run["name"] for run in body["compare"]["runs"]] == ["small.npz", "large.npz"]
    (moves,) = body["compare"]["moves"]
    unassigned = [run["assignment"]["unassigned"]["count"] for run in body["compare"]["runs"]]
    assert moves["lost"] - moves["gained"] == unassigned[1] - unassigned[0] > 0
    ways = ("same", "lost", "fewer", "gained", "more")
    assert sum(moves[way] for way in ways) == moves["both"] == body["compare"]["runs"][0]["assignment"]["boxes"]
    lost = [box for box in moves["boxes"] if box["change"] == "lost"]
    assert len(lost) == moves["lost"]
    assert moves["boxes"][0] == lost[0]
    assert all(box["reason"] and box["before"] > 0 and box["after"] == 0 for box in lost)
    assert [box["before"] for box in lost] == sorted((box["before"] for box in lost), reverse=True)
    assert all(not os.path.isabs(box["path"]) for box in moves["boxes"])
    assert [row["key"] for row in body["compare"]["settings"]] == ["imgsz"]
    assert {row["key"] for row in body["compare"]["keys"]} == {"obj"}


def test_saved_or_computed_is_the_same(saved: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    of_files = told(capsys, "compare", *saved)["compare"]
    of_data = told(capsys, "compare", *VAL, "--imgsz", "640,160")["compare"]
    assert of_data["option"] == "--imgsz"
    assert [move | {"from": "", "to": ""} for move in of_data["moves"]] == [move | {"from": "", "to": ""} for move in of_files["moves"]]
    for one, other in zip(of_data["runs"], of_files["runs"], strict=True):
        assert {key: one[key] for key in ("totals", "terms", "levels", "gains")} == {
            key: other[key] for key in ("totals", "terms", "levels", "gains")
        }


def test_a_run_beside_itself(saved: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, "compare", saved[0], saved[0])
    assert code == 0
    assert "no box gains or loses all of its positives" in out
    assert "86 as before" in out


def test_from_one_family_to_another(capsys: pytest.CaptureFixture[str]) -> None:
    body = told(capsys, "compare", *VAL, "--model", "yolov5s,yolo11s")["compare"]
    keys = {key["key"]: key for key in body["keys"]}
    assert keys["box"]["note"] == "0.05 is 150x too small for yolov8"
    assert keys["obj"]["hyp"] == [1.0, None]
    assert keys["dfl"]["hyp"] == [None, 1.5]
    assert body["moves"][0]["lost"] > 0
    assert {row["key"]: list(row["values"].values()) for row in body["settings"]}["family"] == ["yolov5", "yolov8"]


def test_loaders_that_keep_other_rows(capsys: pytest.CaptureFixture[str]) -> None:
    body = told(
        capsys, "compare", MIXED, "--no-cache", "--quiet", "--loader", "yolov5-7.0,yolov5-6.1,ultralytics-8.4", "--fail-on", "never"
    )
    assert body["compare"]["lost"] == [{"rule": "mixed-rows", "rows": [0, 2, 2]}]
    assert [moves["only_first"] for moves in body["compare"]["moves"]] == [2, 2]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--hyp", "scratch-low,scratch-high"),
        ("--trainer", "yolov5-7.0,yolov5-6.1"),
        ("--profile", "6.0,7.0"),
        ("--family", "yolov5,yolov3-spp"),
        ("--geometry", "letterbox,stretch"),
        ("--head", "prior,perfect"),
        ("--anchors", "stock,refit"),
        ("--cfg", "yolov5s,yolov5s6,yolov3-spp"),
    ],
)
def test_every_option_that_can_hold_a_list(option: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran(capsys, "compare", *VAL, option, words, "--imgsz", "320", "--fail-on", "never")
    assert (code, err) == (0, "")
    names = words.split(",")
    assert out.count(f"boxes    {names[0]} → ") == len(names) - 1


@pytest.mark.parametrize("columns", ["60", "80", "100", "140"])
def test_it_fits(columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for arguments in (
        ("compare", *VAL, "--imgsz", "160,320,480,640,800,960,1120"),
        ("compare", *VAL, "--trainer", "yolov5-7.0,ultralytics-8.4"),
        ("inspect", "targets", *VAL, "--sweep", "imgsz=160:640:160", "--sweep", "trainer=yolov5-7.0,yolov5-6.1,yolov3-spp"),
        ("compute", *VAL, "--sweep", "model=yolov5s,yolov5s6"),
    ):
        code, out, _ = ran(capsys, *arguments)
        assert code == 0
        if int(columns) >= 80:
            assert max(map(len, out.splitlines())) <= int(columns), arguments


def test_top_says_how_many(saved: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    def rows(*more: str) -> int:
        return sum(line.startswith("labels/") for line in ran(capsys, "compare", *saved, *more)[1].splitlines())

    assert rows() == 10
    assert rows("--top", "3") == 3
    assert rows("--top", "0") == 0
    assert "shown" not in told(capsys, "compare", *saved, "--top", "3")


def test_other_formats(saved: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, "compare", *saved, "--format", "markdown")
    assert code == 0
    assert "lose every positive in large.npz" in out
    for name in ("csv", "jsonl", "junit", "sarif", "github", "gitlab", "rich"):
        assert ran(capsys, "compare", *saved, "--format", name)[0] == 0


def test_findings_about_the_hyp_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hyp = tmp_path / "hyp.yaml"
    hyp.write_text("box: 0.05\ncls: 0.5\nobj: 1.0\nanchor_t: four\n")
    code, out, _ = ran(capsys, "compare", *VAL, "--hyp", f"scratch-low,{hyp}")
    assert code == 1
    assert "anchor_t" in out


def test_sweep_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    body = told(capsys, "compute", *VAL, "--sweep", "imgsz=320:640:320")
    assert body["sweep"]["keys"] == ["imgsz"]
    present = [point for point in body["sweep"]["points"] if point["present"]]
    assert [point["values"] for point in present] == [["640"]]
    assert present[0]["totals"]["total"] == body["totals"]["total"]
    code, out, _ = ran(capsys, "inspect", "targets", *VAL, "--sweep", "imgsz=160:640:160")
    assert code == 0
    assert next(line.split()[:2] for line in out.splitlines() if line.startswith(">")) == [">", "640"]


def test_saving_is_refused_like_any_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "link.npz"
    link.symlink_to(tmp_path / "x.npz")
    among = Path(DATA).parent / "labels" / "train" / "x.npz"
    for path, words in (
        (str(link), "is a link"),
        (str(tmp_path / "no" / "x.npz"), "no such folder"),
        (str(tmp_path), "is saved as .npz"),
        ("x.png", "is saved as .npz"),
        (str(among), "would stand among the data"),
    ):
        code, out, err = ran(capsys, "compute", DATA, "--quiet", "--no-cache", "--save", path)
        assert (code, out) == (2, "")
        assert words in err
        assert err.count("\n") == 1
    assert not among.exists()
    assert list(tmp_path.iterdir()) == [link]


MISTAKES = {
    "no list": (("compare", DATA), "detloss: compare: nothing to compare with (give exactly one of --model"),
    "two lists": (
        ("compare", DATA, "--hyp", "scratch-low,scratch-med", "--model", "yolov5s,yolov5m"),
        "detloss: compare: --model and --hyp each hold a list: one moves, the others stay",
    ),
    "empty value": (("compare", DATA, "--model", "yolov5s,"), "detloss: --model yolov5s,: a value of the list is empty"),
    "the same twice": (("compare", DATA, "--model", "yolov5s,yolov5s"), "detloss: --model yolov5s,yolov5s: both values are the same"),
    "unknown value": (("compare", DATA, "--trainer", "yolov5-7.0,yolov5-7"), "detloss: --trainer: 'yolov5-7' is not known"),
    "nothing": (("compare",), "detloss: DATA is missing (give two saved runs"),
    "unknown key": (("compute", DATA, "--sweep", "imgz=1"), "detloss: --sweep imgz: yolov5 has no such key"),
    "empty range": (("compute", DATA, "--sweep", "imgsz=640:320:32"), "detloss: --sweep imgsz=640:320:32: the range is empty"),
    "sweep of a picture": (("inspect", "targets", DATA, "--sweep", "imgsz=320", "--image", "a"), "detloss: --sweep: one picture"),
    "sweep of head outputs": (("compute", DATA, "--sweep", "imgsz=320", "--preds", DATA), "detloss: --sweep: head outputs fit one setting"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, line = MISTAKES[name]
    code, out, err = ran(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_files_that_are_no_saved_runs(saved: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(saved[0]) as archive:
        columns = dict(archive)
    other = {**json.loads(str(columns["run"])), "schema_version": "9.0"}
    np.savez(tmp_path / "other.npz", **(columns | {"run": np.asarray(json.dumps(other))}))
    np.savez(tmp_path / "heads.npz", p3=np.zeros((1, 2)))
    np.savez(tmp_path / "pickle.npz", run=np.asarray([{}], dtype=object))
    (tmp_path / "text.npz").write_text("no zip")
    (tmp_path / "cut.npz").write_bytes(Path(saved[0]).read_bytes()[:-100])
    os.mkfifo(tmp_path / "fifo.npz")
    words = {
        "other": "is of schema '9.0', this detloss reads 1.0",
        "heads": "is no run saved by detloss",
        "pickle": "holds pickled objects ('run'), which are never read",
        "text": "no run saved by detloss",
        "cut": "is cut short",
        "fifo": "is no regular file",
        "missing": "no such file or folder",
    }
    for name, said in words.items():
        code, out, err = ran(capsys, "compare", saved[0], str(tmp_path / f"{name}.npz"))
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
    for arguments, said in (
        ((saved[0],), "a second run is needed"),
        ((saved[0], DATA), "is no saved run, and the others are"),
        ((*saved, "--hyp", "scratch-low"), "--hyp: has no meaning for saved runs"),
    ):
        code, out, err = ran(capsys, "compare", *arguments)
        assert (code, out) == (2, "")
        assert said in err


def test_positives_of_a_level_stand_beside_their_share_of_all_positives(capsys: pytest.CaptureFixture[str]) -> None:
    """As in the table of one run; the share of the loss is another number."""
    body = told(capsys, "compare", *VAL, "--model", "yolov5s,yolov5n", "--imgsz", "640")
    levels = body["compare"]["runs"][0]["levels"]
    whole = sum(level["positives"] for level in levels)
    code, out, _ = ran(capsys, "compare", *VAL, "--model", "yolov5s,yolov5n", "--format", "text")
    assert code == 0
    for level in levels:
        line = next(line for line in out.splitlines() if line.startswith(f"{level['level']}/"))
        assert line.split()[2:5] == [f"{level['positives']:,}", f"{level['positives'] / whole:.0%}"[:-1], "%"], line


def test_a_note_stands_beside_its_key_or_indented_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ran(capsys, "compare", *VAL, "--model", "yolov5s,yolo11s", "--format", "text")
    keys = out[out.rindex("\nhyp ") :].split("\n\n")[0].splitlines()
    notes = [line for line in keys if "power of the inverse class frequency" in line]
    assert [line[:6] for line in notes] == ["    in"]


def test_a_level_that_loses_all_is_not_said_to_move_by_a_factor(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ran(capsys, "compare", *VAL, "--model", "yolov5s", "--imgsz", "640,64", "--format", "text")
    line = next(line for line in out.splitlines() if line.startswith("P5/32"))
    assert line.endswith("  to 0"), line
