"""`detloss check` as a CI job runs it: 0 clean, 1 with a fault of any kind, 2 with a bad configuration; bounds, baseline, single files."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_data" / "vegetables"
SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())
Ran = tuple[int, str, str]
Run = Callable[..., Ran]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample set, the folder that holds it being the working folder."""
    shutil.copytree(SAMPLE, tmp_path / "vegetables")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DETLOSS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "vegetables"


@pytest.fixture
def check(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ran:
        code = entry.run(["check", *(arguments or ()), "--no-cache"])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def found(out: str) -> dict[str, int]:
    """Findings of a JSON report by rule."""
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    rules = [finding["rule"] for finding in body["findings"]]
    return {rule: rules.count(rule) for rule in rules}


def as_json(check: Run, *arguments: str) -> tuple[int, dict[str, int]]:
    code, out, _ = check(*arguments, "--format", "json")
    return code, found(out)


def test_clean_is_0(check: Run) -> None:
    code, out, err = check("vegetables/data.yaml")
    assert (code, err) == (0, "")
    assert "0 errors" in out


def spoil_row(data: Path) -> None:
    label = sorted((data / "labels" / "train").iterdir())[0]
    label.write_text("0 .5 .5 .1\n" + label.read_text())


def spoil_class(data: Path) -> None:
    label = sorted((data / "labels" / "val").iterdir())[0]
    label.write_text("99 .5 .5 .1 .1\n" + label.read_text())


def spoil_yaml(data: Path) -> None:
    text = (data / "data.yaml").read_text()
    (data / "data.yaml").write_text(text.replace("train:", "train: [images/nowhere]\nx-train:"))


def spoil_nothing(data: Path) -> None:
    return


FAULTS: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "row": (spoil_row, [], "column-count"),
    "class": (spoil_class, [], "class-out-of-range"),
    "yaml": (spoil_yaml, [], "data-path-missing"),
    "hyp": (spoil_nothing, ["--hyp", "bad.yaml"], "hyp-negative"),
    "model": (spoil_nothing, ["--model", "model.yaml"], "model-anchors-form"),
    "unassigned": (spoil_nothing, ["--hyp", "tight.yaml", "--max-unassigned", "0"], "too-many-unassigned"),
    "level": (spoil_nothing, ["--min-positives-per-level", "500"], "too-few-positives"),
    "recall": (spoil_nothing, ["--hyp", "tight.yaml", "--min-bpr", "1.0"], "recall-below-bound"),
    "collisions": (spoil_nothing, ["--max-collisions", "10"], "too-many-collisions"),
    "lost": (spoil_row, ["--max-lost-boxes", "0", "--ignore", "DET1"], "too-many-lost-boxes"),
    "share above": (spoil_nothing, ["--max-share", "P3=30%"], "share-above-bound"),
    "share below": (spoil_nothing, ["--min-share", "obj/P3=.5"], "share-below-bound"),
    "share of nothing": (spoil_nothing, ["--max-share", "objj=50%"], "bound-names-nothing"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_of_each_kind_is_1(name: str, data: Path, check: Run) -> None:
    spoil, arguments, rule = FAULTS[name]
    spoil(data)
    shipped = (ROOT / "configs" / "hyp.scratch-low.yaml").read_text()
    Path("bad.yaml").write_text(shipped.replace("box: 0.05", "box: -1"))
    Path("tight.yaml").write_text(shipped.replace("anchor_t: 4.0", "anchor_t: 1.2"))
    Path("model.yaml").write_text("nc: 12\nstrides: [8, 16, 32]\nanchors:\n  - [10, 13, 16]\n  - [30, 61]\n  - [116, 90]\n")
    code, rules = as_json(check, "vegetables/data.yaml", *arguments)
    assert code == 1
    assert rule in rules


BAD_CONFIG = """max-unasigned: 1%
max-collisions: many
min-bpr: 98
fail-on: [error]
max-share: 60%
select: DET4
"""


def test_a_bad_configuration_is_2_and_tells_everything_at_once(check: Run) -> None:
    Path("detloss.yaml").write_text(BAD_CONFIG)
    code, out, err = check("vegetables/data.yaml")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "detloss: detloss.yaml:1:1: max-unasigned: no such setting, did you mean max-unassigned?",
        "detloss: detloss.yaml:2:1: max-collisions: 'many' is no bound, write a number such as 20, or a part such as 0.5%",
        "detloss: detloss.yaml:3:1: min-bpr: '98' is more than all of it, write 98% or a number from 0 to 1",
        "detloss: detloss.yaml:4:1: fail-on: wants one value",
        "detloss: detloss.yaml:5:1: max-share: wants terms or levels with their bounds: {obj: 60%}",
    ]
    code, out, _ = check("vegetables/data.yaml", "--format", "json")
    assert (code, len(json.loads(out)["findings"])) == (2, 5)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("detloss.yaml", "- a\n", "it has to be a mapping"),
        ("detloss.yaml", "a: b: c\n", "detloss.yaml:1:"),
        ("detloss.yaml", "seed: 1\nseed: 2\n", "duplicate key"),
        ("pyproject.toml", "[tool.detloss]\nmax-unassigned = \n", "no TOML"),
        ("pyproject.toml", "[tool.detloss]\noutput = 'x'\n", "output: no such setting"),
        ("pyproject.toml", "[tool]\ndetloss = 1 # [tool.detloss]\n", "is no table"),
    ],
)
def test_no_configuration_at_all_is_2(name: str, text: str, words: str, check: Run) -> None:
    Path(name).write_text(text)
    code, _, err = check("vegetables/data.yaml")
    assert code == 2
    assert words in err


def test_every_command_that_reads_data_minds_the_configuration(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("detloss.yaml").write_text("imgsz: 320\ndata: vegetables/data.yaml\n")
    assert entry.run(["inspect", "targets", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["imgsz"] == [320, 320]
    Path("detloss.yaml").write_text("imgsize: 320\n")
    assert entry.run(["inspect", "targets", str(data)]) == 2
    assert entry.run(["explain", "DET601"]) == 0


def test_bad_bounds_on_the_command_line_are_told_at_once(check: Run) -> None:
    code, _, err = check("vegetables/data.yaml", "--max-unassigned", "x", "--min-share", "obj")
    assert code == 2
    assert [line.split(":")[1] for line in err.splitlines()] == [" --max-unassigned", " --min-share"]


def test_command_line_before_environment_before_configuration(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pyproject.toml").write_text('[tool.detloss]\nmax-collisions = 1\ndata = "vegetables/data.yaml"\nmax-share = {obj = "99%"}\n')
    assert as_json(check)[0] == 1
    monkeypatch.setenv("DETLOSS_MAX_COLLISIONS", "100")
    assert as_json(check)[0] == 0
    assert as_json(check, "--max-collisions", "2")[0] == 1
    Path("detloss.yaml").write_text("max-collisions: 3\n")
    monkeypatch.delenv("DETLOSS_MAX_COLLISIONS")
    assert check()[0] == 2  # detloss.yaml holds, and it names no data
    assert as_json(check, "vegetables/data.yaml", "--config", "pyproject.toml")[1]["too-many-collisions"] == 1


def test_every_split_is_read_and_targets_are_those_that_are_trained(check: Run, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.loads(check("vegetables/data.yaml", "--format", "json")[1])
    entry.run(["inspect", "targets", "vegetables/data.yaml", "--format", "json", "--no-cache"])
    targets = json.loads(capsys.readouterr().out)
    assert body["labels"]["images"] == 34
    assert (body["assignment"], body["levels"]) == (targets["assignment"], targets["levels"])


@pytest.mark.parametrize(("options", "term"), [([], "obj"), (["--model", "yolo11n", "cls_pw=1"], "cls")])
def test_shares_are_those_of_compute(options: list[str], term: str, check: Run, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.loads(check("vegetables/data.yaml", *options, "--format", "json", "--max-share", f"{term}=99%")[1])
    entry.run(["compute", "vegetables/data.yaml", *options, "--format", "json", "--no-cache"])
    loss = json.loads(capsys.readouterr().out)
    assert body["terms"] == loss["terms"]
    whole = sum(one["value"] for one in loss["terms"] if one["name"] == term) / loss["totals"]["total"]
    assert body["gate"]["figures"][f"share/{term}"] == pytest.approx(whole, rel=1e-6)


def test_the_baseline_catches_another_anchor_t(check: Run) -> None:
    shipped = (ROOT / "configs" / "hyp.scratch-low.yaml").read_text()
    for name, value in (("same", "4.0"), ("lower", "3.0"), ("higher", "5.0")):
        Path(f"{name}.yaml").write_text(shipped.replace("anchor_t: 4.0", f"anchor_t: {value}"))
    assert check("vegetables/data.yaml", "--hyp", "same.yaml", "--write-baseline", "base.json")[0] == 0
    assert as_json(check, "vegetables/data.yaml", "--hyp", "same.yaml", "--baseline", "base.json") == (0, {})
    for name in ("lower", "higher"):
        code, rules = as_json(check, "vegetables/data.yaml", "--hyp", f"{name}.yaml", "--baseline", "base.json")
        assert code == 1
        assert rules["figure-worse"] >= 1
        assert rules["setting-differs"] == 1


def test_the_baseline_knows_findings_by_their_row(data: Path, check: Run) -> None:
    spoil_row(data)
    label = sorted((data / "labels" / "train").iterdir())[0]
    assert check("vegetables/data.yaml", "--write-baseline", "base.json")[0] == 1
    assert as_json(check, "vegetables/data.yaml", "--baseline", "base.json") == (0, {})
    label.write_text("\n".join(reversed(label.read_text().split("\n"))))  # other lines, the same rows
    assert "column-count" not in as_json(check, "vegetables/data.yaml", "--baseline", "base.json", "--new-only")[1]
    label.write_text(label.read_text() + "\n0 .6 .5 .1\n")
    code, rules = as_json(check, "vegetables/data.yaml", "--baseline", "base.json", "--new-only")
    assert (code, rules["column-count"]) == (1, 1)
    label.write_text("\n".join(row for row in label.read_text().split("\n") if len(row.split()) == 5))
    body = json.loads(check("vegetables/data.yaml", "--baseline", "base.json", "--format", "json")[1])
    assert body["gate"]["gone"] >= 1


def test_new_only_leaves_figures_and_bounds_aside(check: Run) -> None:
    assert check("vegetables/data.yaml", "--write-baseline", "base.json")[0] == 0
    old = Path("base.json").read_text()
    Path("base.json").write_text(old.replace('"unassigned": 0.0', '"unassigned": -1.0'))
    assert as_json(check, "vegetables/data.yaml", "--baseline", "base.json")[1] == {"figure-worse": 1}
    assert as_json(check, "vegetables/data.yaml", "--baseline", "base.json", "--new-only", "--max-collisions", "0") == (0, {})
    code, _, err = check("vegetables/data.yaml", "--new-only")
    assert (code, err) == (2, "detloss: --new-only: --new-only needs something to compare with (add --baseline FILE)\n")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"baseline_version": 2}', '{"baseline_version": 1, "figures": {"x": NaN}}', "[" * 100000]
)
def test_what_is_no_baseline_is_2(text: str, check: Run) -> None:
    Path("base.json").write_text(text)
    code, _, err = check("vegetables/data.yaml", "--baseline", "base.json")
    assert code == 2
    assert err.count("\n") == 1


def test_a_baseline_is_not_written_among_the_data(check: Run) -> None:
    code, _, err = check("vegetables/data.yaml", "--write-baseline", "vegetables/labels/train/base.json")
    assert code == 2
    assert "among the data" in err


def test_single_files_as_a_hook_names_them(data: Path, check: Run) -> None:
    good, bad = (str(path.relative_to(Path.cwd())) for path in sorted((data / "labels" / "train").iterdir())[:2])
    Path(bad).write_text("0 .5 .5 .1\n")
    assert as_json(check, good, "--names", "12") == (0, {})
    Path("empty.txt").write_text("")
    assert as_json(check, "empty.txt") == (0, {})
    assert as_json(check, good, bad, "--names", "12")[0] == 1
    assert as_json(check, "vegetables/data.yaml", good)[0] == 0
    assert as_json(check, "vegetables/data.yaml", bad)[1]["column-count"] == 1
    Path("detloss.yaml").write_text("data: vegetables/data.yaml\nmax-unassigned: 0\nmin-positives-per-level: 500\n")
    Path(good).write_text("99 .5 .5 .1 .1\n")
    assert as_json(check, good)[1] == {"class-out-of-range": 1, "loader-stops": 1}
    assert as_json(check, str(good).replace("labels", "images").replace(".txt", ".jpg"))[1] == {"class-out-of-range": 1, "loader-stops": 1}


def test_files_from_stdin(data: Path, check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_row(data)
    label = sorted((data / "labels" / "train").iterdir())[0]
    listed = f"{label}\nREADME.md\nlabels/gone.txt\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(listed.encode())))
    assert as_json(check, "vegetables/data.yaml", "--files-from", "-")[1]["column-count"] == 1
    Path("list").write_text("README.md\n")
    assert as_json(check, "vegetables/data.yaml", "--files-from", "list") == (0, {})


def test_select_and_ignore(data: Path, check: Run) -> None:
    spoil_row(data)
    assert as_json(check, "vegetables/data.yaml", "--select", "DET4")[0] == 0
    assert set(as_json(check, "vegetables/data.yaml", "--select", "column-count,DET402")[1]) == {"column-count", "slot-collision"}
    assert as_json(check, "vegetables/data.yaml", "--ignore", "det1")[0] == 0
    code, _, err = check("vegetables/data.yaml", "--select", "DET409x")
    assert (code, err) == (2, "detloss: --select: no finding is called DET409x (did you mean DET609?)\n")


def test_ten_files_take_no_torch_and_little_time(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for number in range(10):
        (tmp_path / "labels" / f"{number}.txt").write_text("0 .5 .5 .2 .2\n")
    code = "import sys; from detloss_cli.cli.main import run; c = run(sys.argv[1:]); sys.exit(10 * ('torch' in sys.modules) + c)"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(tmp_path / "labels"), "--no-cache"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr


# As a program of its own: after each command, whether torch has been loaded by then.
LOADS = """
import contextlib, io, json, sys
from detloss_cli.cli.main import run
found = []
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()):
        code = run(["check", *words, "--no-cache", "--imgsz", "64"])
    found.append([code, "torch" in sys.modules])
print(json.dumps(found))
"""
STATIC = ("yolov5", "yolov3-spp", "keras-yolo3", "centernet", "cornernet", "fcos", "retinanet")
BOUNDS = ["--max-unassigned", "9", "--min-bpr", "0", "--max-collisions", "9", "--max-lost-boxes", "0", "--min-positives-per-level", "0"]


CHEAP = [
    ["labels", *BOUNDS, "--write-baseline", "base.json"],
    ["labels", "--baseline", "base.json"],
    *(["labels", "--family", family] for family in STATIC),
]


@pytest.mark.parametrize(("cheap", "asks"), [(CHEAP, ["--max-share", "obj=100%"]), ([["labels"]], ["--preds", "head.npz"])])
def test_torch_is_loaded_only_where_a_loss_is_asked_for(cheap: list[list[str]], asks: list[str], tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .4 .4\n")
    np.savez(tmp_path / "head.npz", **{f"p{n}": np.zeros((1, 3, 64 >> n, 64 >> n, 6), np.float32) for n in (3, 4, 5)})
    words = json.dumps([*cheap, ["labels", *asks]])
    done = subprocess.run([sys.executable, "-c", LOADS, words], capture_output=True, text=True, cwd=tmp_path)
    assert json.loads(done.stdout) == [[0, False]] * len(cheap) + [[0, True]], done.stderr
