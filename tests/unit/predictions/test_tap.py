"""The tap records what a loss is given, changes nothing, and never stops a training."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors import safe_open

from detloss_cli.predictions import detloss_tap
from detloss_cli.predictions.detloss_tap import tap, ultralytics_callback
from detloss_cli.predictions.dump import read_dump
from detloss_cli.predictions.open_file import open_heads

SOURCE = Path(detloss_tap.__file__)
ANCHORS = torch.tensor([[[1.25, 1.625], [2.0, 3.75], [4.125, 2.875]]] * 2)


class ComputeLoss:
    """Has what a yolov5 loss has, and answers a number."""

    sort_obj_iou = False

    def __init__(self, total: float = 2.0) -> None:
        self.hyp = {"box": 0.05, "cls": 0.5, "obj": 1.0, "anchor_t": 4.0, "mosaic": 1.0, "name": "not a number"}
        self.gr, self.anchors, self.cn, self.total, self.balance, self.autobalance = 1.0, ANCHORS, 0.05, total, [4.0, 1.0], True

    def __call__(self, outputs: Any, targets: Any) -> Any:
        self.balance[0] += 1
        return torch.tensor([self.total * 2]), torch.tensor([self.total / 2, self.total / 2, 0.0])


def outputs(dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    return [torch.randn(2, 3, side, side, 7).to(dtype) for side in (8, 4)]


TARGETS = torch.tensor([[0, 1, 0.5, 0.5, 0.25, 0.25], [1, 0, 0.25, 0.5, 0.5, 0.25]])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def about(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == "detloss/1"
    return json.loads(metadata["about"])


def test_every_so_many_steps_up_to_a_limit(tmp_path: Path) -> None:
    loss = tap(ComputeLoss(), str(tmp_path / "dumps"), every=3, limit=2)
    for _ in range(12):
        total, items = loss(outputs(), TARGETS)
        assert (float(total), len(items)) == (4.0, 3)
    assert files(tmp_path / "dumps") == ["step000000-rank0.safetensors", "step000003-rank0.safetensors"]


def test_what_is_recorded_is_what_was_given(tmp_path: Path) -> None:
    given, imgs = outputs(torch.float16), torch.zeros(2, 3, 64, 64)
    paths, epoch = ("a.jpg", "b.jpg"), 7  # as the locals of a training loop are called
    tap(ComputeLoss(), str(tmp_path), every=1)(given, TARGETS)
    path = tmp_path / "step000000-rank0.safetensors"
    dump = read_dump(open_heads(str(path)))
    for stored, one in zip(dump.levels, given, strict=True):
        assert stored.dtype == torch.float16
        torch.testing.assert_close(stored, one, rtol=0, atol=0)
    torch.testing.assert_close(dump.targets, TARGETS, rtol=0, atol=0)
    assert [(level.name, level.stride, level.rows) for level in dump.head.levels] == [("P3", 8, 8), ("P4", 16, 4)]
    assert dump.head.levels[1].anchors[0] == (20.0, 26.0)
    said = about(path)
    assert (said["imgsz"], said["num_classes"], said["profile"], said["strides_from"]) == ([64, 64], 2, "7.0", "pictures")
    assert said["hyp"] == {
        "box": 0.05, "cls": 0.5, "obj": 1.0, "anchor_t": 4.0, "gr": 1.0, "autobalance": True, "sort_obj_iou": False, "label_smoothing": 0.1,
    }  # fmt: skip
    assert said["balance"] == [4.0, 1.0]  # from before the call
    assert (said["paths"], said["paths_are"], said["epoch"]) == (list(paths), "first of a mosaic", epoch)
    assert said["loss"] == {"returned": [4.0], "items": [1.0, 1.0, 0.0], "names": [], "times_batch": True}
    assert imgs.shape[2] == 64


def test_pictures_of_the_caller(tmp_path: Path) -> None:
    loss = tap(ComputeLoss(), str(tmp_path), every=1)
    loss.batch(["x.jpg", "y.jpg"])
    loss(outputs(), TARGETS)
    loss(outputs(), TARGETS)
    first, second = (about(tmp_path / name) for name in files(tmp_path))
    assert (first["paths"], first["paths_are"]) == (["x.jpg", "y.jpg"], "picture")
    assert second["paths"] is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_batch_that_broke(tmp_path: Path, value: float) -> None:
    inner = ComputeLoss()
    loss = tap(inner, str(tmp_path), when="nonfinite")
    for step in range(6):
        inner.total = value if step == 4 else 2.0
        loss(outputs(), TARGETS)
    assert files(tmp_path) == ["step000004-rank0.safetensors"]
    said = about(tmp_path / "step000004-rank0.safetensors")
    assert said["trigger"] == "nonfinite"
    assert said["loss"]["returned"] == [str(value)]
    assert read_dump(open_heads(str(tmp_path / "step000004-rank0.safetensors"))).about.loss is not None


def test_spikes(tmp_path: Path) -> None:
    inner = ComputeLoss()
    loss = tap(inner, str(tmp_path), when=("spike", "nonfinite"))
    for step in range(40):
        inner.total = {5: 50.0, 30: 50.0}.get(step, 2.0)  # the first one comes before there is a mean to hold it against
        loss(outputs(), TARGETS)
    assert files(tmp_path) == ["step000030-rank0.safetensors"]


def test_attributes_are_those_of_the_loss(tmp_path: Path) -> None:
    inner = ComputeLoss()
    loss = tap(inner, str(tmp_path))
    loss.gr = 0.5
    assert (inner.gr, loss.gr, loss.hyp) == (0.5, 0.5, inner.hyp)
    assert not hasattr(loss, "no_such_thing")


def test_copies_and_checkpoints_hold_the_loss_alone(tmp_path: Path) -> None:
    loss = tap(ComputeLoss(), str(tmp_path), every=1)
    twin = copy.deepcopy({"criterion": loss})["criterion"]
    assert type(twin) is ComputeLoss
    twin(outputs(), TARGETS)
    assert type(pickle.loads(pickle.dumps(loss))) is ComputeLoss
    assert b"detloss_tap" not in pickle.dumps(tap(SimpleNamespace(), str(tmp_path)))  # it is read where there is no detloss
    assert files(tmp_path) == []


def test_its_own_errors_are_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    loss = tap(ComputeLoss(), str(tmp_path / "file"), every=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            assert float(loss(outputs(), TARGETS)[0]) == 4.0
    assert [str(one.message).split(":")[0] for one in caught] == ["detloss_tap records no more"]


def test_an_error_of_the_loss_stays_the_loss_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        tap(ComputeLoss(), str(tmp_path), every=1)(outputs())


def test_ranks_write_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        tap(ComputeLoss(), str(tmp_path), every=1, limit=1)(outputs(), TARGETS)
    assert files(tmp_path) == ["step000000-rank0.safetensors", "step000000-rank1.safetensors"]


def test_an_earlier_dump_is_never_overwritten(tmp_path: Path) -> None:
    for _ in range(2):
        tap(ComputeLoss(), str(tmp_path), every=1, limit=1)(outputs(), TARGETS)
    assert files(tmp_path) == ["step000000-rank0-1.safetensors", "step000000-rank0.safetensors"]


def test_no_targets(tmp_path: Path) -> None:
    tap(ComputeLoss(), str(tmp_path), every=1)(outputs(), torch.zeros(0, 6))
    assert read_dump(open_heads(str(tmp_path / "step000000-rank0.safetensors"))).targets.shape == (0, 6)


def test_idle_steps_cost_next_to_nothing(tmp_path: Path) -> None:
    inner, some = ComputeLoss(), outputs()
    loss = tap(inner, str(tmp_path), every=10**9)
    loss(some, TARGETS)
    spent = []
    for call in (inner, loss):
        start = time.perf_counter()
        for _ in range(2000):
            call(some, TARGETS)
        spent.append((time.perf_counter() - start) / 2000)
    assert spent[1] - spent[0] < 50e-6  # a step of a detector takes more than 5 ms


class v8DetectionLoss:
    def __init__(self) -> None:
        self.stride, self.nc, self.reg_max = torch.tensor([8.0, 16.0]), 2, 4
        self.hyp = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5, mosaic=0.0)
        self.assigner = SimpleNamespace(topk=10, alpha=0.5, beta=6.0)

    def __call__(self, outputs: Any, batch: Any) -> Any:
        return torch.tensor([1.0, 2.0, 3.0]), {"box_loss": torch.tensor(0.5), "cls_loss": torch.tensor(1.0), "dfl_loss": torch.tensor(1.5)}


def batch() -> dict[str, Any]:
    return {"batch_idx": TARGETS[:, 0], "cls": TARGETS[:, 1:2], "bboxes": TARGETS[:, 2:], "im_file": ["a.jpg", "b.jpg"]}


def test_ultralytics_maps_and_rows_give_the_same_dump(tmp_path: Path) -> None:
    maps = [torch.randn(2, 18, side, side) for side in (8, 4)]
    flat = torch.cat([one.flatten(2) for one in maps], 2)
    rows = {"boxes": flat[:, :16], "scores": flat[:, 16:], "feats": [one[:, :5] for one in maps]}
    loss = tap(v8DetectionLoss(), str(tmp_path), every=1)
    for given in (maps, (torch.zeros(1), maps), rows):
        loss(given, batch())
    dumps = [read_dump(open_heads(str(tmp_path / name))) for name in files(tmp_path)]
    for dump in dumps:
        for stored, one in zip(dump.levels, maps, strict=True):
            torch.testing.assert_close(stored, one.permute(0, 2, 3, 1)[:, None], rtol=0, atol=0)
        torch.testing.assert_close(dump.targets, TARGETS, rtol=0, atol=0)
    said = dumps[0].about
    assert (said.family, said.reg_max, said.paths) == ("yolov8", 4, ["a.jpg", "b.jpg"])
    assert said.loss is not None
    assert said.loss.names == ["box_loss", "cls_loss", "dfl_loss"]


def test_the_callback_wraps_the_criterion_once(tmp_path: Path) -> None:
    model = SimpleNamespace(criterion=None, init_criterion=v8DetectionLoss)
    trainer = SimpleNamespace(model=SimpleNamespace(module=model), epoch=3)
    start = ultralytics_callback(str(tmp_path), every=1)
    start(trainer)
    start(trainer)
    model.criterion([torch.randn(2, 18, side, side) for side in (8, 4)], batch())
    assert files(tmp_path) == ["step000000-rank0.safetensors"]
    assert about(tmp_path / "step000000-rank0.safetensors")["epoch"] == 3


def test_it_stands_alone_on_old_python() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert {name for name in names if name.split(".")[0] not in sys.stdlib_module_names} == {"torch"}


LOSS = """
import torch
class ComputeLoss:
    def __init__(self, model):
        self.hyp, self.anchors, self.stride, self.gr = model.hyp, model.anchors, model.stride, 1.0
    def __call__(self, outputs, targets):
        return torch.zeros(1), torch.zeros(3)
"""
MODEL = """
import torch
class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hyp, self.stride = {"box": 0.05, "anchor_t": 4.0}, [16.0]
        self.anchors = torch.tensor([[[1.0, 2.0], [3.0, 3.0]]])
        self.conv = torch.nn.Conv2d(3, 2 * 17, 16, 16)
    def forward(self, x):
        y = self.conv(x)
        return y, [y.view(len(x), 2, 17, y.shape[2], y.shape[3]).permute(0, 1, 3, 4, 2)]
"""


def test_dump_of_a_checkpoint_in_its_checkout(tmp_path: Path) -> None:
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "loss.py").write_text(LOSS)
    (tmp_path / "tiny.py").write_text(MODEL)
    (tmp_path / "tap.py").write_text(SOURCE.read_text(encoding="utf-8"))
    save = "import torch, tiny; torch.save({'model': tiny.Tiny()}, 'best.pt')"
    subprocess.run([sys.executable, "-c", save], cwd=tmp_path, check=True)
    data = Path(__file__).resolve().parents[3] / "sample_data" / "vegetables" / "data.yaml"
    command = ["tap.py", "dump", "best.pt", "--data", str(data), "--imgsz", "64", "--batch-size", "3"]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == "5 pictures written to dumps\n"
    dumps = [read_dump(open_heads(str(tmp_path / "dumps" / name))) for name in files(tmp_path / "dumps")]
    assert [dump.about.images for dump in dumps] == [3, 2]
    assert all(dump.about.paths is not None and dump.about.paths_are == "picture" for dump in dumps)
    assert sum(len(dump.targets) for dump in dumps) == 86  # rows of the five label files
