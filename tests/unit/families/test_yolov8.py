"""The family as a whole: marks, gains, what is returned, reasons, end-to-end heads."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.families import yolov8
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions, Predictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Assignment, Targets

DOUBLE = torch.float64
HYP = yolov8.Hyp()


def head_of(side: int = 128, classes: int = 3, reg_max: int = 16, end2end: bool = False) -> Head:
    levels = tuple(Level(f"P{s.bit_length() - 1}", s, side // s, side // s) for s in (8, 16, 32))
    return yolov8.outputs(Head("test", levels, classes, (side, side), reg_max, end2end), "8.4.190")


def random_head(head: Head, images: int, seed: int = 0) -> list[Tensor]:
    source = torch.Generator().manual_seed(seed)
    width = yolov8.channels(head).count
    shift = 2.0 if head.reg_max == 1 else 0.0
    return [torch.randn((images, 1, v.rows, v.cols, width), generator=source, dtype=DOUBLE) + shift for v in head.levels]


def boxes_of(rows: list[tuple[float, ...]], images: int = 1, side: int = 128) -> Targets:
    """image, class, then centre and size in px."""
    table = torch.tensor(rows, dtype=DOUBLE).reshape(-1, 6)
    return Targets(table[:, 0].long(), table[:, 1].long(), table[:, 2:] / side, images)


SOME = [(0, 0, 40, 40, 30, 24), (0, 2, 80, 70, 60, 50), (1, 1, 60, 60, 90, 20), (1, 1, 20, 100, 18, 18)]


def compute(
    head: Head, targets: Targets, predictions: Predictions, hyp: yolov8.Hyp = HYP, profile: str = "8.4.190"
) -> tuple[Assignment, object]:
    assignment = yolov8.assign(head, hyp, targets, predictions, profile=profile)
    return assignment, yolov8.loss(head, hyp, targets, predictions, assignment, profile=profile)


def test_prior() -> None:
    head = head_of(640, classes=20)
    for level, bias in zip(head.levels, yolov8.prior(head, HYP, "8.4.190"), strict=True):
        assert bias.shape == (1, 84)
        assert bias[0, :64].unique().tolist() == [1.0]
        assert bias[0, 64:].unique().tolist() == pytest.approx([math.log(5 / 20 / (640 / level.stride) ** 2)])


def test_constant_heads_cost_what_their_planes_cost() -> None:
    """The closed form of a background equals the dense sum."""
    head, targets = head_of(), boxes_of(SOME, 2)
    constant = ConstantHead(yolov8.prior(head, HYP, "8.4.190"), head.levels, 2)
    dense = DensePredictions([constant.dense(index) for index in range(3)])
    assignment, one = compute(head, targets, constant)
    other = yolov8.loss(head, HYP, targets, dense, assignment, profile="8.4.190")
    for a, b in zip(one.terms, other.terms, strict=True):
        torch.testing.assert_close(a.value, b.value)
    assert len(assignment) > 0


@pytest.mark.parametrize(("profile", "shape"), [("8.1", ()), ("8.3.0", ()), ("8.3.200", (3,)), ("8.4.190", (3,))])
def test_what_is_returned(profile: str, shape: tuple[int, ...]) -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    _, breakdown = compute(head, targets, DensePredictions(random_head(head, 2)), profile=profile)
    value = yolov8.returned(breakdown, profile)
    assert value.shape == shape
    torch.testing.assert_close(value.sum(), breakdown.total * 2)
    torch.testing.assert_close(yolov8.items(head, HYP, breakdown, profile).sum(), breakdown.total)


def test_terms_add_up_over_levels() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    assignment, breakdown = compute(head, targets, DensePredictions(random_head(head, 2)))
    assert [(term.name, term.level) for term in breakdown.terms] == [(n, i) for i in range(3) for n in ("box", "cls", "dfl")]
    for term in breakdown.terms:
        assert term.count == int((assignment.level == term.level).sum()) == len(term.per_positive)
        if term.name != "cls":
            torch.testing.assert_close(term.per_positive.sum() / breakdown.extra["normaliser"][0], term.raw)


def test_gradient_reaches_predictions_only() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    maps = [m.requires_grad_() for m in random_head(head, 2)]
    boxes = replace(targets, boxes=targets.boxes.clone().requires_grad_())
    assignment, breakdown = compute(head, targets, DensePredictions(maps))
    breakdown.total.backward()
    assert not assignment.extra["score"].requires_grad
    assert all(torch.isfinite(m.grad).all() and m.grad.abs().sum() > 0 for m in maps)
    assert not yolov8.assign(head, HYP, boxes, DensePredictions(maps), profile="8.1").extra["score"].requires_grad
    untouched = torch.ones_like(maps[0][..., 0], dtype=torch.bool)
    here = assignment.level == 0
    untouched[assignment.image[here], 0, assignment.row[here], assignment.col[here]] = False
    assert maps[0].grad[..., :64][untouched].abs().sum() == 0


def test_no_boxes() -> None:
    head, targets = head_of(), boxes_of([], 2)
    maps = [m.requires_grad_() for m in random_head(head, 2)]
    assignment, breakdown = compute(head, targets, DensePredictions(maps))
    breakdown.total.backward()
    assert len(assignment) == 0
    assert float(breakdown.item("box").detach()) == float(breakdown.item("dfl").detach()) == 0
    wanted = sum(torch.nn.functional.softplus(m.detach()[..., 64:]).sum() for m in maps) * 0.5
    torch.testing.assert_close(breakdown.item("cls").detach(), wanted)
    assert yolov8.reasons(head, HYP, targets, assignment, profile="8.4.190") == {}


def test_class_weights_scale_their_class() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    predictions = DensePredictions(random_head(head, 2))
    alone = [tuple(float(i == c) for i in range(3)) for c in range(3)]
    parts = [compute(head, targets, predictions, replace(HYP, class_weights=w))[1].item("cls") for w in alone]
    torch.testing.assert_close(sum(parts), compute(head, targets, predictions)[1].item("cls"))
    weighted = replace(HYP, class_weights=(2.0, 1.0, 0.5))
    torch.testing.assert_close(compute(head, targets, predictions, weighted)[1].item("cls"), 2 * parts[0] + parts[1] + 0.5 * parts[2])
    plain = compute(head, targets, predictions, profile="8.3.200")[1].item("cls")
    torch.testing.assert_close(compute(head, targets, predictions, weighted, "8.3.200")[1].item("cls"), plain)


def test_class_weights_come_from_the_counts() -> None:
    hyp = replace(HYP, cls_pw=1.0)
    assert yolov8.with_class_weights(hyp, [1, 3], "8.4.190").class_weights == pytest.approx((1.5, 0.5))
    assert yolov8.with_class_weights(hyp, [1, 3], "8.4.0").class_weights is None
    assert yolov8.with_class_weights(HYP, [1, 3], "8.4.190").class_weights is None


@pytest.mark.parametrize("end2end", [False, True])
def test_base_rate_costs_least(end2end: bool) -> None:
    head, targets = head_of(end2end=end2end), boxes_of(SOME, 2)
    prior = ConstantHead(yolov8.prior(head, HYP, "8.4.190"), head.levels, 2)
    assignment = yolov8.assign(head, HYP, targets, prior, profile="8.4.190")
    fitted = yolov8.base_rate(head, HYP, "8.4.190", [BatchTargets(targets, assignment)])

    def cost(logits: tuple[Tensor, ...]) -> float:
        constant = ConstantHead(logits, head.levels, 2)
        return float(yolov8.loss(head, HYP, targets, constant, assignment, profile="8.4.190").item("cls"))

    least = cost(fitted)
    assert least < cost(yolov8.prior(head, HYP, "8.4.190"))
    for index in range(len(head.levels)):
        for channel in range(64, 67):
            for step in (-0.1, 0.1):
                moved = [bias.clone() for bias in fitted]
                moved[index][0, channel] += step
                rise = cost(tuple(moved)) - least
                assert rise > 0 if fitted[index][0, channel] > -20 else rise > -1e-9  # a class that never occurs ends at the limit


def test_base_rate_weighs_batches_as_their_terms_are() -> None:
    """A batch with a large sum of scores divides its term by it, and so counts for less in the mean over batches."""
    head = head_of()
    answers = random_head(head, 2)
    batches = []
    for rows, scale in ((SOME, 5.0), (SOME[:1], 0.1)):
        targets = boxes_of(list(rows), 2)
        found = yolov8.assign(head, HYP, targets, DensePredictions(answers), profile="8.4.190")
        score = torch.full_like(found.extra["score"], scale / 5)
        batches.append(BatchTargets(targets, replace(found, extra={**found.extra, "score": score})))
    fitted = yolov8.base_rate(head, HYP, "8.4.190", batches)

    def cost(logits: tuple[Tensor, ...]) -> float:
        constant = ConstantHead(logits, head.levels, 2)
        parts = [yolov8.loss(head, HYP, b.targets, constant, b.assignment, profile="8.4.190").item("cls") for b in batches]
        return float(sum(parts))

    for channel in range(64, 67):
        if fitted[0][0, channel] > -20:
            for step in (-0.01, 0.01):
                moved = [bias.clone() for bias in fitted]
                moved[0][0, channel] += step
                assert cost(tuple(moved)) > cost(fitted)


@pytest.mark.parametrize("reg_max", [16, 1])
@pytest.mark.parametrize("end2end", [False, True])
def test_perfect_costs_next_to_nothing(reg_max: int, end2end: bool) -> None:
    head, targets = head_of(reg_max=reg_max, end2end=end2end), boxes_of(SOME, 2)
    predictions = DensePredictions(random_head(head, 2))
    assignment, breakdown = compute(head, targets, predictions)
    perfect = yolov8.perfect(head, HYP, "8.4.190", targets, assignment)
    answered = yolov8.loss(head, HYP, targets, perfect, assignment, profile="8.4.190")
    assert float(answered.item("box")) < 1e-5
    assert float(answered.total) < float(breakdown.total)
    if reg_max == 1:
        assert float(answered.item("dfl")) == pytest.approx(0)
    dense = DensePredictions([perfect.dense(index) for index in range(len(head.levels))])
    torch.testing.assert_close(yolov8.loss(head, HYP, targets, dense, assignment, profile="8.4.190").total, answered.total)


def test_end_to_end_heads_train_two_branches() -> None:
    head, targets = head_of(reg_max=1, end2end=True), boxes_of(SOME, 2)
    assert [level.name for level in head.levels] == ["P3", "P4", "P5", "P3 1:1", "P4 1:1", "P5 1:1"]
    assert yolov8.outputs(head, "8.4.190") is head
    assignment, breakdown = compute(head, targets, DensePredictions(random_head(head, 2)))
    second = assignment.gt[assignment.level >= 3]
    assert 0 < len(second) == len(second.unique()) <= 4
    assert {term.gain for term in breakdown.terms if term.level < 3} == {7.5 * 0.8, 0.5 * 0.8, 1.5 * 0.8}
    assert [gain.used for gain in yolov8.gain_ledger(HYP, head, "8.4.190")] == pytest.approx([6, 0.4, 1.2, 1.5, 0.1, 0.3])
    shown = yolov8.items(head, HYP, breakdown, "8.4.190")
    wanted = sum(term.raw * 7.5 for term in breakdown.terms if term.name == "box" and term.level >= 3)
    torch.testing.assert_close(shown[0], wanted)


def test_end_to_end_heads_need_a_release_that_has_them() -> None:
    head = head_of(end2end=True)
    with pytest.raises(DetlossError, match="no end-to-end heads"):
        yolov8.branches(head, HYP, "8.1")
    with pytest.raises(ValueError, match="levels of both branches"):
        yolov8.branches(replace(head, levels=head.levels[:3]), HYP, "8.4.190")


def test_refused_boxes() -> None:
    head = head_of()
    wrong = boxes_of([(0, 3, 40, 40, 30, 30), (0, -1, 40, 40, 30, 30), (0, -4, 40, 40, 30, 30)])
    found = yolov8.refused(head, HYP, wrong, profile="8.3.0")
    assert {gt: reason.key for gt, reason in found.items()} == {0: "class_out_of_range", 2: "class_out_of_range"}
    unsorted = boxes_of([(1, 0, 40, 40, 30, 30), (0, 0, 40, 40, 30, 30)], 2)
    assert yolov8.refused(head, HYP, unsorted, profile="8.3.200") == {}
    assert yolov8.refused(head, HYP, unsorted, profile="8.4.190")[1].key == "out_of_order"
    with pytest.raises(DetlossError, match="box 0: class 3 of 3"):
        yolov8.assign(head, HYP, wrong, DensePredictions(random_head(head, 1)), profile="8.3.0")


def test_unsorted_targets_cost_the_same_where_they_are_taken() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    order = torch.tensor([2, 0, 3, 1])
    mixed = Targets(targets.image[order], targets.cls[order], targets.boxes[order], 2)
    predictions = DensePredictions(random_head(head, 2))
    one, other = (compute(head, each, predictions, profile="8.3.0")[1].total for each in (targets, mixed))
    torch.testing.assert_close(one, other)


def test_class_minus_one_is_scored_as_the_last_and_trained_as_the_first() -> None:
    """Without boxes that overlap, all that a class changes is which logit counts in the metric and which is the target."""
    head, predictions = head_of(), DensePredictions(random_head(head_of(), 1))
    found = {cls: compute(head, boxes_of([(0, cls, 64, 64, 60, 60)]), predictions) for cls in (-1, 0, 2)}
    torch.testing.assert_close(found[-1][0].extra["metric"], found[2][0].extra["metric"])
    assert float(found[-1][1].item("cls")) != pytest.approx(float(found[2][1].item("cls")))
    first = yolov8.loss(head, HYP, boxes_of([(0, 0, 64, 64, 60, 60)]), predictions, found[-1][0], profile="8.4.190")
    torch.testing.assert_close(found[-1][1].item("cls"), first.item("cls"))


@pytest.mark.parametrize(
    ("rows", "key", "text"),
    [
        ([(0, 0, 64, 64, 4, 4)], "no_centre_inside", "4x4 px: no cell centre inside"),
        ([(0, 0, -40, -40, 20, 20)], "taken_for_padding", "corners sum to -160 px"),
    ],
)
def test_reasons_that_need_no_predictions(rows: list[tuple[float, ...]], key: str, text: str) -> None:
    head = head_of()
    targets = boxes_of(rows)
    assignment, _ = compute(head, targets, DensePredictions(random_head(head, 1)), profile="8.3.0")
    reason = yolov8.reasons(head, HYP, targets, assignment, profile="8.3.0")[0]
    assert reason.key == key
    assert text in reason.text


def test_a_twin_loses_to_the_first_of_two_equal_boxes() -> None:
    head = head_of()
    twins = boxes_of([(0, 0, 64, 64, 60, 60), (0, 0, 64, 64, 60, 60)])
    assignment, _ = compute(head, twins, DensePredictions(random_head(head, 1)))
    found = yolov8.reasons(head, HYP, twins, assignment, profile="8.4.190")
    assert {gt: reason.key for gt, reason in found.items()} == {1: "lost_to_other_box"}
    assert "each of the 10 cells it took goes to another box, the best to box 0 with CIoU" in found[1].text


@pytest.mark.parametrize(("side", "key"), [(1270, "beyond_reach"), (600, "not_in_top_k")])
def test_boxes_that_took_no_cell(side: int, key: str) -> None:
    head = head_of(1280)
    targets = boxes_of([(0, 0, 640, 640, side, side)], side=1280)
    assignment, _ = compute(head, targets, DensePredictions(random_head(head, 1)))
    none = {name: getattr(assignment, name)[:0] for name in ("level", "image", "anchor", "row", "col", "gt")}
    reason = yolov8.reasons(head, HYP, targets, replace(assignment, **none), profile="8.4.190")[0]
    assert reason.key == key
    assert f"best metric {float(assignment.of_targets['best_metric'][0]):.3g}" in reason.text


def test_reach_of_an_end_to_end_head_is_that_of_one_branch() -> None:
    one, two = head_of(), head_of(end2end=True)
    targets = boxes_of(SOME, 2)
    assert yolov8.reach(one, targets, "8.4.190").cells.tolist() == yolov8.reach(two, targets, "8.4.190").cells.tolist()


def test_a_box_takes_seven_cells_of_the_second_branch_and_keeps_one() -> None:
    head = head_of(reg_max=1, end2end=True)
    targets = boxes_of([(0, 0, 64, 64, 100, 100)])
    assignment, _ = compute(head, targets, DensePredictions(random_head(head, 1)))
    assert assignment.of_targets["picked"].tolist() == [10]
    assert assignment.of_targets["one_to_one_picked"].tolist() == [7]
    assert int((assignment.level >= 3).sum()) == 1
