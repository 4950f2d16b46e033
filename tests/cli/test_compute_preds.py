"""`compute --preds` as a user meets it: exit codes, one object of JSON, one line a refusal."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format

SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three pictures of unknown size with a box each, two classes."""
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "images" / "train").mkdir(parents=True)
    from PIL import Image

    for name in "abc":
        Image.new("RGB", (64, 64)).save(tmp_path / "images" / "train" / f"{name}.png")
        (tmp_path / "labels" / "train" / f"{name}.txt").write_text("1 .5 .5 .3 .3\n")
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/train\nnc: 2\nnames: [cat, dog]\n")
    return tmp_path / "data.yaml"


def heads() -> dict[str, np.ndarray]:
    return {f"p{k}": np.random.default_rng(k).normal(size=(3, 3, 64 >> k, 64 >> k, 7)).astype(np.float32) for k in (3, 4, 5)}


def computed(data: Path, preds: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any], str]:
    code = entry.run(["compute", str(data), "--preds", str(preds), "--imgsz", "64", "--format", "json", *more])
    out, err = capsys.readouterr()
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    return code, body, err


def test_one_file_or_many_give_the_same(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "all.npz", **heads())
    (tmp_path / "parts").mkdir()
    for index, part in enumerate((slice(0, 1), slice(1, 3))):
        np.savez(tmp_path / "parts" / f"{index}.npz", **{name: array[part] for name, array in heads().items()})
    code, whole, err = computed(data, tmp_path / "all.npz", capsys, "--batch-size", "2")
    assert (code, err) == (0, "")
    assert whole["settings"]["preds"] == str(tmp_path / "all.npz")
    _, parts, _ = computed(data, tmp_path / "parts", capsys, "--batch-size", "2")
    assert parts["totals"] == whole["totals"]
    _, prior, _ = computed(data, tmp_path / "all.npz", capsys, "--batch-size", "2", "--head", "prior")
    assert prior["totals"] == whole["totals"]  # real head outputs win over a synthetic head
    assert whole["totals"]["obj"] != whole["marks"]["prior"]["obj"]


def test_families_that_assign_by_prediction(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = {f"p{k}": np.random.default_rng(k).normal(size=(3, 1, 64 >> k, 64 >> k, 66)).astype(np.float32) for k in (3, 4, 5)}
    np.savez(tmp_path / "all.npz", **arrays)
    code, body, _ = computed(data, tmp_path / "all.npz", capsys, "--model", "yolo11n")
    assert code == 0
    assert body["settings"]["family"] == "yolov8"
    assert body["assignment"]["positives"] > 0


@pytest.mark.parametrize(
    ("changes", "rule", "says"),
    [
        ({"p4": None}, "prediction-level-missing", "has no p4"),
        ({"p6": np.zeros(1)}, "prediction-level-missing", "a level p6"),
        ({"p3": np.zeros((3, 3, 8, 8, 6), np.float32)}, "prediction-shape", "p3 is 3x3x8x8x6, expected 3x3x8x8x7"),
        ({"p3": np.zeros((2, 3, 8, 8, 7), np.float32)}, "prediction-shape", "2 images"),
    ],
)
def test_refusals_end_with_two(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], rule: str, says: str
) -> None:
    np.savez(tmp_path / "all.npz", **{name: array for name, array in {**heads(), **changes}.items() if array is not None})
    code, body, err = computed(data, tmp_path / "all.npz", capsys)
    (finding,) = body["findings"]
    assert (code, body["summary"]["exit_code"], finding["rule"], finding["path"]) == (2, 2, rule, str(tmp_path / "all.npz"))
    assert says in err
    assert err.count("\n") == 1


def test_a_pickle_gets_one_line_with_a_way_out(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "best.pt").write_bytes(pickle.dumps({"model": 1}))
    code, body, err = computed(data, tmp_path / "best.pt", capsys)
    assert (code, body["findings"][0]["code"]) == (2, "DET503")
    assert "python detloss_tap.py dump MODEL.pt --data data.yaml --split val" in err
    torch.save(torch.nn.Linear(1, 1), tmp_path / "module.pt")
    code, _, err = computed(data, tmp_path / "module.pt", capsys)
    assert code == 2
    assert "\x1b" not in err
    assert "weights_only" not in err


def test_infinite_half_precision_is_found_first(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = {name: array.astype(np.float16) for name, array in heads().items()}
    arrays["p4"][2, 1, 0, 3, 6] = np.inf  # what 1e6 becomes there
    np.savez(tmp_path / "all.npz", **arrays)
    code, body, _ = computed(data, tmp_path / "all.npz", capsys)
    (finding,) = body["findings"]
    assert (code, finding["code"], finding["path"]) == (1, "DET501", "all.npz")
    assert finding["message"].startswith("P4: 1 infinite in image 2 (c.png), channel 6 (class dog)")
    assert "65504" in finding["hint"]
    assert "totals" not in body


def test_without_data_only_a_dump_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "all.npz", **heads())
    assert entry.run(["compute", "--preds", str(tmp_path / "all.npz")]) == 2
    assert "DATA" in capsys.readouterr().err
