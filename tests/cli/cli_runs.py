"""What tests of the command line share: its JSON, checked, and run folders as yolov5 writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format

SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())
HYP = {"box": 0.05, "cls": 0.5, "cls_pw": 1.0, "obj": 1.0, "obj_pw": 1.0, "anchor_t": 4.0, "fl_gamma": 0.0}
OPT = {"weights": "yolov5s.pt", "cfg": "", "data": "vegetables/data.yaml", "imgsz": 320, "batch_size": 8, "label_smoothing": 0.0}
OPT |= {"rect": False, "single_cls": False, "noautoanchor": True, "seed": 0, "hyp": HYP}
Command = Callable[..., tuple[int, str, str]]


def run_folder(home: Path, changes: dict[str, Any] | None = None, log: str = "") -> str:
    folder = home / "runs" / "train" / "exp"
    folder.mkdir(parents=True)
    (folder / "opt.yaml").write_text(yaml.safe_dump({**OPT, **(changes or {})}, sort_keys=False))
    (folder / "hyp.yaml").write_text(yaml.safe_dump(HYP))
    if log:
        (folder / "results.csv").write_text(log)
    return "runs/train/exp"


def logged(**terms: Sequence[float]) -> str:
    head = ",".join(["epoch", *(f"train/{name}_loss" for name in terms)])
    rows = [",".join([str(epoch), *map(str, values)]) for epoch, values in enumerate(zip(*terms.values(), strict=True))]
    return "\n".join([head, *rows]) + "\n"


def asked(detloss: Command, *arguments: str) -> dict[str, Any]:
    code, out, err = detloss(*arguments, "--format", "json")
    assert code in (0, 1), err
    body: dict[str, Any] = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    return body


def ran(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = entry.run(arguments)
    out, err = capsys.readouterr()
    return code, out, err
