"""Single files as hooks name them, and how little is loaded for a few."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from check_runs import Run, as_json, spoil_row


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
