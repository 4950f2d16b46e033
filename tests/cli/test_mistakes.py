"""What a user got wrong: one line on stderr, one object on stdout where a machine reads it, and code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from cli_runs import SCHEMA, ran

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
SARIF = json.loads((Path(__file__).parents[1] / "unit" / "report" / "sarif_subset.json").read_text())
MISTAKES = {
    "unknown option": (["compute", DATA, "--famly", "yolov5"], "detloss: no such option --famly (did you mean --family?)"),
    "unknown command": (["compte", DATA], "detloss: no such command: compte (did you mean compute?)"),
    "unknown subcommand": (["inspect", "lables", DATA], "detloss: no such command: inspect lables (did you mean labels?)"),
    "no subcommand": (["inspect"], "detloss: missing command (detloss inspect --help lists what there is)"),
    "unknown family": (["compute", DATA, "--family", "yolo5"], "detloss: --family: 'yolo5' is not known (did you mean yolov5?)"),
    "unknown loader": (["inspect", "labels", DATA, "--loader", "strct"], "detloss: --loader: 'strct' is not known (did you mean strict?)"),
    "device": (["compute", DATA, "--device", "gpu"], "detloss: --device: 'gpu' is no device (auto, cpu, cuda, cuda:1, or 1 for cuda:1)"),
    "size": (["compute", DATA, "imgsz=64O"], "detloss: --imgsz: '64O' is no input size (pixels: 640, or height and width: 384x640)"),
    "format": (["compute", DATA, "--format", "jsn"], "detloss: --format: 'jsn' is not known (did you mean json?)"),
    "severity": (["compute", DATA, "--fail-on", "warn"], "detloss: --fail-on: 'warn' is not known (did you mean warning?)"),
    "number": (
        ["compute", DATA, "--batch", "x"],
        "detloss: --batch-size: should be a valid integer (detloss compute --help lists what there is)",
    ),
    "no data": (["compute"], "detloss: DATA is missing (give a data.yaml, a folder of labels, a .txt list or a COCO .json)"),
    "wrong path": (
        ["compute", DATA.replace("data.yaml", "dat.yaml")],
        f"detloss: {DATA[:-9]}dat.yaml: no such file or folder (did you mean ",
    ),
    "output is a folder": (["compute", DATA, "-o", "/"], "detloss: --output: / is a folder (give the name of a file)"),
    "control characters": (["compute", "a\x1b[2Jb\n.yaml"], "detloss: a\\x1b[2Jb\\x0a.yaml: no such file or folder (check the path)"),
    "page": (["explain", "slot-colision"], "detloss: CODE: nothing is called slot-colision (did you mean slot-collision?)"),
    "option without value": (["compute", DATA, "--imgsz"], "detloss: option '--imgsz' requires an argument ("),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, line = MISTAKES[name]
    code, out, err = ran(arguments, capsys)
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_object_with_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "format":
        pytest.skip("the mistake is the format")
    code, out, _ = ran([*MISTAKES[name][0][:1], "--format", "json", *MISTAKES[name][0][1:]], capsys)
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    assert set(body) == {"schema_version", "tool", "findings", "summary"}
    assert (code, body["summary"]["exit_code"], body["findings"][0]["severity"]) == (2, 2, "error")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_log_with_sarif(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "format":
        pytest.skip("the mistake is the format")
    code, out, err = ran([*MISTAKES[name][0][:1], "--format=sarif", *MISTAKES[name][0][1:]], capsys)
    body = json.loads(out)
    jsonschema.validate(body, SARIF)
    (run,) = body["runs"]
    (invocation,) = run["invocations"]
    (told,) = invocation.pop("toolExecutionNotifications")
    assert (code, invocation, run["results"]) == (2, {"executionSuccessful": False, "exitCode": 2}, [])
    assert (told["level"], f"detloss: {told['message']['text']}\n") == ("error", err)


def test_no_mistake_imports_torch() -> None:
    code = "import json, sys; from detloss_cli.cli.main import run; [run(a) for a in json.loads(sys.argv[1])]"
    code += "; sys.exit('torch' in sys.modules)"
    lines = json.dumps([arguments for arguments, _ in MISTAKES.values()])
    done = subprocess.run([sys.executable, "-c", code, lines], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == len(MISTAKES)
