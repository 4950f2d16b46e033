"""Recorded cases once more, each through a dump: tap, file, `compute --preds`, and the recorded loss beside detloss's own."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from case import CARRIED, Case, find_cases

from detloss_cli.diagnose import loss as diagnose
from detloss_cli.facts.heads import DumpFacts
from detloss_cli.predictions.detloss_tap import tap
from detloss_cli.resolve import Request

# the dump names the release as the trainer's checkout would; recorded refs have other names
YOLOV3 = {"yolov3-archive": "archive", "wzm-yolov3spp": "wzm", "wzm-preclamp": "wzm-preclamp"}
YOLOV8 = {"8.1.0": "8.1"}


def cases(*families: str) -> list[Any]:
    """Recorded cases of some families, whose loss takes head outputs and targets."""
    found = []
    for path in find_cases(CARRIED):
        head = json.loads(path.read_text())
        takes_maps = any(name in head["inputs"] for name in ("pred0", "feat0", "stack0.hm"))
        if head["family"] in families and takes_maps:
            found.append(pytest.param(path, id=f"{head['family']}-{head['case']}"))
    return found


def replayed(folder: Path, loss: Any, outputs: Any, targets: Any, *more: Any, **known: Any) -> DumpFacts:
    """The one step that a tap around a loss records, computed."""
    tap(loss, str(folder), every=1, limit=1, **known)(outputs, targets, *more)
    facts, findings = diagnose.compute(Request("compute", preds=str(folder)))
    assert facts.dumps is not None
    (one,) = facts.dumps
    assert [finding for finding in findings if finding.severity == "error"] == []
    return one


def held(one: DumpFacts, tolerance: float = 1e-4) -> None:
    """The recorded float32 numbers, to the tolerance of the recorded cases."""
    parity = one.parity
    assert parity is not None
    for name, value in parity.trainer.items():
        assert math.isclose(parity.own[name], value, rel_tol=tolerance, abs_tol=1e-3 * tolerance) or not math.isfinite(value), name


class ComputeLoss:
    """Stands where a yolov5 trainer's loss stands, and answers what was recorded of it."""

    def __init__(self, case: Case) -> None:
        settings, wanted = case.settings, case.expected("f32")
        self.hyp, self.gr, self.autobalance = dict(settings["hyp"]), settings.get("gr", 1.0), settings.get("autobalance", False)
        self.sort_obj_iou = settings.get("sort_obj_iou", False)
        anchors = [
            torch.tensor(flat).view(-1, 2) / stride for flat, stride in zip(settings["anchors_px"], settings["strides"], strict=True)
        ]
        self.anchors, self.stride = anchors, settings["strides"]
        trail = wanted.get("balance_after_each_call")
        if trail:
            self.balance = trail[-2] if len(trail) > 1 else None
        self.answer = torch.tensor([float(wanted["loss_times_bs"])]), torch.tensor([float(item) for item in wanted["items"]])

    def __call__(self, outputs: Any, targets: Any) -> Any:
        return self.answer


@pytest.mark.parametrize("path", cases("yolov5"))
def test_yolov5(path: Path, tmp_path: Path) -> None:
    case = Case(path)
    outputs = [case.inputs[f"pred{i}"] for i in range(len(case.settings["strides"]))]
    one = replayed(tmp_path, ComputeLoss(case), outputs, case.inputs["targets"], profile=str(case.ref).removeprefix("v"))
    held(one)


@pytest.mark.parametrize("path", cases("yolov3_spp"))
def test_yolov3_spp(path: Path, tmp_path: Path) -> None:
    case = Case(path)
    settings, wanted = case.settings, case.expected("f32")
    parts = [
        SimpleNamespace(anchor_vec=torch.tensor(flat).view(-1, 2) / stride, stride=stride)
        for flat, stride in zip(settings["anchors_px"], settings["strides"], strict=True)
    ]
    model = SimpleNamespace(hyp=settings["hyp"], gr=settings["gr"], module_list=parts, yolo_layers=range(len(parts)))
    answer = torch.tensor([float(wanted["loss"])]), torch.tensor([float(item) for item in wanted["items"]])

    def compute_loss(outputs: Any, targets: Any, model: Any) -> Any:
        return answer

    outputs = [case.inputs[f"pred{i}"] for i in range(len(parts))]
    held(replayed(tmp_path, compute_loss, outputs, case.inputs["targets"], model, profile=YOLOV3[case.ref]))


class v8DetectionLoss:
    """Stands where ultralytics' criterion stands, and answers what was recorded of it."""

    def __init__(self, case: Case) -> None:
        settings, wanted = case.settings, case.expected("f32")
        self.hyp = SimpleNamespace(**settings["hyp"])
        self.stride, self.nc, self.reg_max = torch.tensor([float(s) for s in settings["strides"]]), settings["nc"], settings["reg_max"]
        tal = settings["tal"]
        self.assigner = SimpleNamespace(topk=tal["topk"], topk2=tal["topk2"], alpha=tal["alpha"], beta=tal["beta"])
        weights = settings.get("class_weights")
        self.class_weights = torch.tensor(weights).view(1, 1, -1) if weights else None
        returned = wanted["loss_returned"]
        self.answer = torch.tensor(returned if isinstance(returned, list) else [returned]), torch.tensor(wanted["items"])

    def __call__(self, outputs: Any, batch: Any) -> Any:
        return self.answer


@pytest.mark.parametrize("path", cases("yolov8"))
def test_yolov8(path: Path, tmp_path: Path) -> None:
    case = Case(path)
    if case.settings.get("end2end") or "feat0" not in case.inputs:
        pytest.skip("an end-to-end head answers with two branches")
    rows = case.inputs["targets"]
    batch = {"batch_idx": rows[:, 0], "cls": rows[:, 1:2], "bboxes": rows[:, 2:6]}
    outputs = [case.inputs[f"feat{i}"] for i in range(len(case.settings["strides"]))]
    held(replayed(tmp_path, v8DetectionLoss(case), outputs, batch, profile=YOLOV8.get(str(case.ref), str(case.ref))))


class CtdetLoss:
    """Stands where CenterNet's loss stands: it leaves clamped probabilities in the place of the logits, and answers what was recorded."""

    def __init__(self, case: Case) -> None:
        settings, wanted = case.settings, case.expected("f32")
        keys = ("hm_weight", "wh_weight", "off_weight", "reg_loss", "down_ratio")
        off = {"norm_wh": False, "cat_spec_wh": False, "dense_wh": False, "mse_loss": False}
        self.opt = SimpleNamespace(**{key: settings[key] for key in keys}, **off)
        self.answer = tuple(torch.tensor(float(wanted[name])) for name in ("loss", "hm_loss", "wh_loss", "off_loss"))

    def __call__(self, outputs: Any, batch: Any) -> Any:
        for part in outputs:
            part["hm"] = torch.clamp(part["hm"].sigmoid_(), min=1e-4, max=1 - 1e-4)
        return self.answer[0], dict(zip(("loss", "hm_loss", "wh_loss", "off_loss"), self.answer, strict=True))


def centernet_batch(case: Case) -> dict[str, torch.Tensor]:
    """The targets that CenterNet's own loader made, as they were recorded."""
    rows, cols = (side // case.settings["down_ratio"] for side in case.settings["imgsz_hw"])
    heat = torch.zeros(case.settings["batch"], case.settings["nc"], rows, cols)
    heat[tuple(case.tensors["out.heatmap.nz_idx"].reshape(-1, 4).long().T)] = case.tensors["out.heatmap.nz_val"]
    return {"hm": heat, **{name: case.tensors[f"out.target.{name}"] for name in ("ind", "reg_mask", "wh", "reg")}}


@pytest.mark.parametrize("path", [one for one in cases("centernet") if Path(one.values[0]).name.startswith("x_")])
def test_centernet(path: Path, tmp_path: Path) -> None:
    case = Case(path)
    outputs = [
        {part: case.inputs[f"stack{index}.{part}"].clone() for part in ("hm", "wh", "reg")} for index in range(case.settings["stacks"])
    ]
    held(replayed(tmp_path, CtdetLoss(case), outputs, centernet_batch(case)))
