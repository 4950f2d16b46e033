"""A recorded step computed again: parity, what explains a difference, what is refused."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from detloss_cli.diagnose import loss as diagnose
from detloss_cli.engine.processes import Processes
from detloss_cli.errors import DetlossError
from detloss_cli.families import yolov5
from detloss_cli.inputs.ahead import Ahead
from detloss_cli.inputs.head import Head, Level
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.predictions.detloss_tap import tap
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.report.sections.standing import standing_table
from detloss_cli.resolve import Request
from detloss_cli.targets.assignment import Targets

ANCHORS = (((10.0, 13.0), (16.0, 30.0)), ((30.0, 61.0), (62.0, 45.0)), ((116.0, 90.0), (156.0, 198.0)))
HEAD = Head("tiny", tuple(Level(f"P{3 + i}", 8 << i, 16 >> i, 16 >> i, a) for i, a in enumerate(ANCHORS)), 3, (128, 128))
TARGETS = torch.tensor([[0, 1, 0.5, 0.4, 0.25, 0.25], [0, 2, 0.2, 0.2, 0.1, 0.2], [1, 0, 0.25, 0.5, 0.5, 0.25]])
HYP = yolov5.Hyp(box=0.05, obj=0.7, cls=0.3)


class ComputeLoss:
    """A trainer whose loss is detloss's own, under settings that its attributes may not tell."""

    sort_obj_iou = False

    def __init__(self, told: yolov5.Hyp, used: yolov5.Hyp, profile: str, state: Any = None) -> None:
        self.hyp = {name: value for name, value in asdict(told).items() if isinstance(value, int | float)}
        self.gr, self.autobalance, self.used, self.profile, self.state = told.gr, told.autobalance, used, profile, state
        self.cn = told.label_smoothing / 2
        self.anchors = [torch.tensor(level.anchors) / level.stride for level in HEAD.levels]
        self.stride = list(HEAD.strides)

    def __call__(self, outputs: Any, targets: Any) -> Any:
        rows = Targets(targets[:, 0].long(), targets[:, 1].long(), targets[:, 2:], 2)
        assignment = yolov5.assign(HEAD, self.used, rows, profile=self.profile)
        predictions = DensePredictions([part.float() for part in outputs])
        found = yolov5.loss(HEAD, self.used, rows, predictions, assignment, profile=self.profile, state=self.state)
        return (found.total * 2).reshape(1), torch.stack([found.item(name) for name in ("box", "obj", "cls")])


def logits(seed: int = 0, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 2, level.rows, level.cols, 8, generator=source).to(dtype) for level in HEAD.levels]


def record(folder: Path, loss: Any, steps: int = 1, dtype: torch.dtype = torch.float32, **known: Any) -> None:
    tapped = tap(loss, str(folder), every=1, limit=steps, **known)
    for step in range(steps):
        tapped(logits(step, dtype), TARGETS)


def computed(folder: Path, **options: Any) -> tuple[Any, list[Any]]:
    return diagnose.compute(Request("compute", preds=str(folder), **options))


def rewritten(folder: Path, changes: dict[str, Any], tensors: dict[str, Any] | None = None, **metadata: str) -> Path:
    """The one dump of a folder with another description."""
    (path,) = folder.glob("*.safetensors")
    with safe_open(path, "pt") as file:
        held = {name: file.get_tensor(name).clone() for name in file.keys()} | (tensors or {})  # noqa: SIM118
        said = file.metadata()
    said["about"] = json.dumps(json.loads(said["about"]) | changes)
    save_file({name: tensor for name, tensor in held.items() if tensor is not None}, path, said | metadata)
    return path


def test_the_same_settings_give_the_same_loss(tmp_path: Path) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"), steps=3)
    facts, findings = computed(tmp_path)
    assert [one.step for one in facts.dumps] == [0, 1, 2]
    assert all(one.parity.agrees and one.parity.difference < 1e-6 for one in facts.dumps)
    assert [finding.code for finding in findings if finding.code.startswith("DET50")] == []  # DET52 judges what noise answers
    totals = [one.totals["total"] for one in facts.dumps]
    assert facts.loss.totals["total"] == pytest.approx(sum(totals) / 3, rel=1e-12)
    assert len(set(totals)) == 3
    assert (facts.settings.family, facts.settings.profile, facts.labels.images, facts.labels.boxes) == ("yolov5", "7.0", 6, 9)


def test_half_precision_is_held_to_its_own_tolerance(tmp_path: Path) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"), dtype=torch.float16)
    facts, _ = computed(tmp_path)
    (one,) = facts.dumps
    assert one.dtype == "float16"
    assert one.parity.agrees
    assert one.parity.tolerance == 2e-3


@pytest.mark.parametrize(
    ("used", "profile", "words"),
    [
        (HYP, "4.0", "profile 4.0 instead of 7.0"),
        (replace(HYP, gr=0.0), "7.0", "gr 0 instead of 1"),
        (replace(HYP, label_smoothing=0.1), "7.0", "label_smoothing 0.1 instead of 0"),
        (replace(HYP, fl_gamma=1.5), "7.0", "fl_gamma 1.5 instead of 0"),
        (yolov5.scaled(HYP, HEAD, "7.0"), "7.0", "gains scaled by the trainer once more"),
        (replace(HYP, box=0.06), "7.0", ""),
    ],
)
def test_a_difference_names_the_setting_that_explains_it(tmp_path: Path, used: yolov5.Hyp, profile: str, words: str) -> None:
    record(tmp_path, ComputeLoss(HYP, used, profile))
    facts, findings = computed(tmp_path)
    (one,) = facts.dumps
    assert not one.parity.agrees
    assert one.parity.explained == words
    (finding,) = [finding for finding in findings if finding.rule == "loss-differs-from-trainer"]
    assert finding.severity == "warning"
    assert (words or "no setting tried explains it") in finding.hint


def test_weights_that_autobalance_left(tmp_path: Path) -> None:
    hyp = replace(HYP, autobalance=True)
    loss = ComputeLoss(hyp, hyp, "7.0", state=(3.0, 1.0, 0.5))
    loss.balance = [3.0, 1.0, 0.5]
    record(tmp_path, loss)
    facts, _ = computed(tmp_path)
    assert facts.dumps[0].parity.agrees
    rewritten(tmp_path, {"balance": None})
    assert not computed(tmp_path)[0].dumps[0].parity.agrees


def test_the_release_is_told_from_what_is_recorded(tmp_path: Path) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"))
    rewritten(tmp_path, {"profile": None})
    assert computed(tmp_path)[0].settings.profile == "7.0"
    rewritten(tmp_path, {"versions": {"trainer": "6.0.3"}})
    assert computed(tmp_path)[0].settings.profile == "6.0"
    assert computed(tmp_path, profile="5.0")[0].settings.profile == "5.0"


def test_a_broken_step_is_named_and_the_others_computed(tmp_path: Path) -> None:
    loss = ComputeLoss(HYP, HYP, "7.0")
    tapped = tap(loss, str(tmp_path), every=1)
    for step in range(2):
        given = logits(step)
        if step == 1:
            given[2][1, 0, 3, 2, 4] = float("nan")
        tapped(given, TARGETS)
    facts, findings = computed(tmp_path)
    assert [one.step for one in facts.dumps] == [0]
    (finding,) = [finding for finding in findings if finding.rule == "prediction-not-finite"]
    assert "P5: 1 NaN in image 1, channel 4 (objectness); the first at anchor 0, row 3, column 2" in finding.message
    assert finding.where.path.endswith("step000001-rank0.safetensors")


def test_nothing_but_broken_steps(tmp_path: Path) -> None:
    given = logits()
    given[0][0, 0, 0, 0, 0] = float("inf")
    tap(ComputeLoss(HYP, HYP, "7.0"), str(tmp_path), every=1)(given, TARGETS)
    facts, findings = computed(tmp_path)
    assert facts.loss is None
    assert [finding.rule for finding in findings] == ["prediction-not-finite"]


@pytest.mark.parametrize(
    ("changes", "tensors", "metadata", "rule"),
    [
        ({}, {}, {"format": "detloss/2"}, "prediction-dump-invalid"),
        ({}, {}, {"about": "{"}, "prediction-dump-invalid"),
        ({"imgsz": [0, 64]}, {}, {}, "prediction-dump-invalid"),
        ({"levels": []}, {}, {}, "prediction-dump-invalid"),
        ({"images": 3}, {}, {}, "prediction-shape"),
        ({"num_classes": 2}, {}, {}, "prediction-dump-invalid"),
        ({"num_classes": 9}, {}, {}, "prediction-shape"),
        ({"family": "yolov99"}, {}, {}, "prediction-dump-invalid"),
        ({"hyp": {"box": "x" * 100}}, {}, {}, "prediction-dump-invalid"),
        ({"hyp": {"box": [1, 2]}}, {}, {}, "prediction-dump-invalid"),
        ({}, {"p4": None}, {}, "prediction-level-missing"),
        ({}, {"p4": torch.zeros(2, 2, 8)}, {}, "prediction-shape"),
        ({}, {"targets": torch.tensor([[2.0, 0, 0.5, 0.5, 0.1, 0.1]])}, {}, "prediction-dump-invalid"),
        ({}, {"targets": torch.tensor([[float("nan"), 0, 0.5, 0.5, 0.1, 0.1]])}, {}, "prediction-dump-invalid"),
        ({}, {"targets": torch.zeros(1, 5)}, {}, "prediction-dump-invalid"),
    ],
)
def test_dumps_that_contradict_themselves_are_refused(
    tmp_path: Path, changes: dict[str, Any], tensors: dict[str, Any], metadata: dict[str, str], rule: str
) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"))
    path = rewritten(tmp_path, changes, tensors, **metadata)
    with pytest.raises(DetlossError) as caught:
        computed(tmp_path)
    assert (caught.value.rule, caught.value.code, caught.value.where) == (rule, 2, str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", [{"hyp": "scratch-low"}, {"model": "yolov5s"}, {"imgsz": (64, 64)}])
def test_options_that_a_dump_answers_itself(tmp_path: Path, option: dict[str, Any]) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"))
    with pytest.raises(DetlossError, match="a dump says this itself"):
        computed(tmp_path, **option)


def test_rectangular_batches_are_refused_where_typed_and_named_where_a_run_has_them(tmp_path: Path) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"))
    request = Request(command="compute", preds=str(tmp_path), rect=True)
    with pytest.raises(DetlossError, match="does not go with --rect") as refused:
        diagnose.compute(request)
    assert refused.value.where == "--preds"
    _, found = diagnose.compute(replace(request, origins={"rect": "opt.yaml"}))
    (said,) = [finding for finding in found if finding.code == "DET701"]
    assert "--preds does not go with it" in said.message
    assert said.where is not None
    assert said.where.path == "opt.yaml"


def test_nobody_scans_data_that_only_names_the_classes(tmp_path: Path) -> None:
    record(tmp_path / "dumps", ComputeLoss(HYP, HYP, "7.0"))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    scanner = Ahead([str(tmp_path / "a"), str(tmp_path / "b")], DEFAULT, Processes(2))
    assert multiprocessing.active_children()
    diagnose.compute(Request(command="compute", preds=str(tmp_path / "dumps"), scanner=scanner))
    assert not multiprocessing.active_children()


def test_dumps_of_unlike_heads_are_kept_apart(tmp_path: Path) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"))
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"), profile="6.0")
    with pytest.raises(DetlossError, match="another head, release or input size"):
        computed(tmp_path)


def test_sixteen_bits_are_computed_beside_float32(tmp_path: Path) -> None:
    """Against the loss itself in float16, and absent where the logits have 32 bits."""
    record(tmp_path / "half", ComputeLoss(HYP, HYP, "7.0"), dtype=torch.float16)
    record(tmp_path / "whole", ComputeLoss(HYP, HYP, "7.0"))
    (half,) = computed(tmp_path / "half")[0].dumps
    (whole,) = computed(tmp_path / "whole")[0].dumps
    rows = Targets(TARGETS[:, 0].long(), TARGETS[:, 1].long(), TARGETS[:, 2:], 2)
    assignment = yolov5.assign(HEAD, HYP, rows, profile="7.0")
    direct = yolov5.loss(HEAD, HYP, rows, DensePredictions(logits(0, torch.float16)), assignment, profile="7.0")
    assert direct.total.dtype == torch.float16
    assert half.half is not None
    assert half.half["obj"] == pytest.approx(sum(float(term.raw) * term.gain for term in direct.terms if term.name == "obj"), rel=1e-12)
    assert half.half["total"] == pytest.approx(half.totals["total"], rel=1e-2)
    assert half.half["total"] != half.totals["total"]
    assert whole.half is None


def test_each_step_has_its_terms_by_level_and_its_own_answers(tmp_path: Path) -> None:
    record(tmp_path, ComputeLoss(HYP, HYP, "7.0"), steps=3)
    facts, _ = computed(tmp_path)
    for one in facts.dumps:
        assert [(term.term, term.level) for term in one.terms] == [(name, level.name) for level in HEAD.levels for name in yolov5.TERMS]
        for name in yolov5.TERMS:
            assert sum(term.value for term in one.terms if term.term == name) == pytest.approx(one.totals[name], rel=1e-9)
        assert one.head.steps == (one.step,)
    assert facts.head.steps == (2,)
    assert facts.head.levels == facts.dumps[2].head.levels
    assert facts.head.levels != facts.dumps[1].head.levels


def test_batches_of_a_checkpoint_are_one_head(tmp_path: Path) -> None:
    """They are no steps: the answers are those of all of them, and no course is drawn."""
    tapped = tap(ComputeLoss(HYP, HYP, "7.0"), str(tmp_path), every=1)
    tapped._own["why"] = "checkpoint"
    for step in range(2):
        tapped(logits(step), TARGETS)
    facts, _ = computed(tmp_path)
    assert facts.head.steps == ()
    assert facts.head.slots == sum(one.head.slots for one in facts.dumps)
    text = "\n".join(line.plain for line in standing_table(facts.loss, facts.dumps, facts.head, 100))
    assert "of the way" in text
    assert "first" not in text
