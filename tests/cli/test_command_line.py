"""The command line as a user meets it: what is printed where, and exit codes that mean what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import typer
from cli_runs import SCHEMA, ran

from detloss_cli.cli.signals import Terminated

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")


def detloss(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from detloss_cli.cli.main import main; main()"
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, cwd=ROOT)


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["compute", "--help"], ["inspect", "labels", DATA], ["explain"], ["explain", "DET402"], ["--version"]]
)
def test_torch_is_not_imported(arguments: list[str]) -> None:
    assert "torch" not in imported_by(arguments)


def imported_by(arguments: list[str]) -> set[str]:
    code = "import sys; from detloss_cli.cli.main import run; run(sys.argv[1:]); sys.stderr.write('\\n'.join(['MODULES', *sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)
    return set(done.stderr.partition("MODULES")[2].split())


def test_labels_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran(["inspect", "labels", DATA, "--format", "json"], capsys)
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    assert (code, err) == (0, "")
    assert body["labels"]["images"] == body["labels"]["labelled"] + body["labels"]["background"] + body["labels"]["skipped"]
    assert body["labels"]["rows"] == body["labels"]["kept"] + body["labels"]["lost"]["rows"]


@pytest.mark.parametrize("command", [["compute"], ["inspect", "targets"]])
def test_targets_and_loss_end_to_end(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran([*command, DATA, "--format", "json"], capsys)
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    assert (code, err) == (0, "")
    assert sum(level["positives"] for level in body["levels"]) == body["assignment"]["positives"]
    if command == ["compute"]:
        assert sum(term["value"] for term in body["terms"]) == pytest.approx(body["totals"]["total"], rel=1e-6)


def test_the_spellings_of_the_trainers(capsys: pytest.CaptureFixture[str]) -> None:
    ours = [
        "compute",
        DATA,
        "--imgsz",
        "320",
        "--batch-size",
        "4",
        "--model",
        "yolov5n",
        "--hyp",
        "scratch-high",
        "--device",
        "cpu",
        "--format",
        "json",
    ]
    wanted = ran(ours, capsys)
    assert wanted[0] == 0
    for theirs in (
        [
            "compute",
            "--data",
            DATA,
            "--img",
            "320",
            "--batch",
            "4",
            "--cfg",
            "yolov5n",
            "--hyp",
            "scratch-high",
            "--device",
            "cpu",
            "--format=json",
        ],
        ["compute", f"data={DATA}", "imgsz=320", "batch=4", "model=yolov5n", "hyp=scratch-high", "device=cpu", "format=json"],
        ["compute", DATA, "--img-size=320", "--batch_size", "4", "cfg=yolov5n", "--hyp=scratch-high", "--device=cpu", "--format", "json"],
    ):
        assert ran(theirs, capsys) == wanted


def test_a_word_with_an_equals_sign_can_be_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data=set").mkdir()
    (tmp_path / "data=set" / "a.txt").write_text("0 .5 .5 .2 .2\n")
    monkeypatch.chdir(tmp_path)
    code, out, _ = ran(["inspect", "labels", "data=set", "--format", "json"], capsys)
    assert json.loads(out)["labels"]["boxes"] == 1
    assert code in {0, 1}
    _, _, err = ran(["inspect", "labels", "--", "data=nothing"], capsys)
    assert err.startswith("detloss: data=nothing: no such file")


def test_fail_on_decides_between_0_and_1(capsys: pytest.CaptureFixture[str]) -> None:
    codes = {severity: ran(["compute", DATA, "--fail-on", severity], capsys)[0] for severity in ("error", "warning", "info", "never")}
    assert codes == {"error": 0, "warning": 1, "info": 1, "never": 0}


def test_output_goes_to_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(["inspect", "labels", DATA, "-o", str(tmp_path / "r.json")], capsys) == (0, "", "")
    jsonschema.validate(json.loads((tmp_path / "r.json").read_text()), SCHEMA)
    code, _, err = ran(["inspect", "labels", DATA, "-o", str(ROOT / "sample_data/vegetables/labels/train/report.json")], capsys)
    assert code == 2
    assert "among the data" in err


def test_a_bug_is_one_line_and_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from detloss_cli.diagnose import labels as diagnose_labels

    def broken(request: object, **_: object) -> None:
        raise KeyError("x\ny")

    monkeypatch.setattr(diagnose_labels, "inspect_labels", broken)
    code, out, err = ran(["inspect", "labels", DATA], capsys)
    assert (code, out) == (3, "")
    assert err.startswith("detloss: a bug in detloss: KeyError: 'x\\ny'")
    assert err.count("\n") == 1
    code, out, _ = ran(["inspect", "labels", DATA, "--format", "json"], capsys)
    assert (code, json.loads(out)["findings"][0]["rule"]) == (3, "bug")
    monkeypatch.setenv("DETLOSS_TRACEBACK", "1")
    assert "Traceback" in ran(["inspect", "labels", DATA], capsys)[2]


@pytest.mark.parametrize(
    ("error", "code"),
    [(MemoryError(), 4), (KeyboardInterrupt(), 130), (Terminated(), 143), (typer.Abort(), 130), (EOFError("cut"), 3)],
)
def test_what_else_can_end_a_run(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from detloss_cli.diagnose import labels as diagnose_labels

    def ended(request: object, **_: object) -> None:
        raise error

    monkeypatch.setattr(diagnose_labels, "inspect_labels", ended)
    got, out, err = ran(["inspect", "labels", DATA], capsys)
    assert (got, out) == (code, "")
    assert "Traceback" not in err
    assert ("a bug in detloss: EOFError: cut" in err) == (code == 3)


def test_nobody_reads(tmp_path: Path) -> None:
    for arguments in (f"inspect labels {DATA}", "--help", f"inspect labels {DATA} --format json", "nonsense"):
        code = f"{sys.executable} -c 'from detloss_cli.cli.main import main; main()' {arguments}"
        wanted = 2 if arguments == "nonsense" else 0
        piped = subprocess.run(["bash", "-c", f"{code} | true; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, cwd=ROOT)
        closed = subprocess.run(["bash", "-c", f"{code} >&-"], capture_output=True, text=True, cwd=ROOT)
        for done in (piped, closed):
            assert done.returncode == wanted
            assert "Traceback" not in done.stderr
            assert "Exception" not in done.stderr
            assert "Broken" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said() -> None:
    code = f"{sys.executable} -c 'from detloss_cli.cli.main import main; main()' inspect labels {DATA} > /dev/full"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr == "detloss: cannot write to stdout: No space left on device (see if the disk is full)\n"


def test_an_old_locale_takes_everything() -> None:
    done = detloss("compute", DATA, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "weighted loss" in done.stdout
    assert detloss("--help", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii").returncode == 0


def test_the_same_bytes_whatever_surrounds_the_run(tmp_path: Path) -> None:
    first = detloss("compute", DATA, "--format", "json")
    other = detloss(
        "compute", DATA, "--format", "json", LC_ALL="C", PYTHONHASHSEED="7", COLUMNS="20", TERM="dumb", TZ="Asia/Tokyo", NO_COLOR="1"
    )
    assert first.stdout == other.stdout


def test_families_and_env(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(["families", "--format", "json"], capsys)
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    assert code == 0
    assert body["families"][0]["id"] == "yolov5"
    assert body["families"][0]["profiles"][-1] == "7.0"
    code, out, _ = ran(["env", "--format", "json"], capsys)
    jsonschema.validate(json.loads(out), SCHEMA)
    assert json.loads(out)["environment"]["versions"]["detloss"]


def test_every_finding_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    from detloss_cli.checks.registry import RULES
    from detloss_cli.report.manual import STOPS, pages

    assert {page.code for page in pages() if page.code} == set(RULES) | set(STOPS)
    assert not set(RULES) & set(STOPS)
    for word in ("DET402", "det402", "slot-collision", "level-weight", "DET001"):
        code, out, _ = ran(["explain", word], capsys)
        assert code == 0
        assert len(out.splitlines()) >= 3


@pytest.mark.parametrize(("columns", "lines"), [("80", 80), ("140", 140)])
def test_columns_decide_the_width_of_a_pipe(columns: str, lines: int) -> None:
    out = detloss("compute", DATA, COLUMNS=columns).stdout
    assert max(len(line) for line in out.splitlines()) <= lines
    assert ("cells" in out) is (columns == "140")
