"""CenterNet and CornerNet through the family protocol: heads, reasons, empty and permuted batches."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
import torch

from detloss_cli import families
from detloss_cli.errors import DetlossError
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Head, Level
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Targets

FAMILIES = ("centernet", "cornernet")
PROFILES = [(name, profile) for name in FAMILIES for profile in families.load(name).PROFILES]
BOXES = [  # image, x1, y1, x2, y2, class
    (0, 8.0, 12.0, 60.5, 70.0, 0),
    (0, 40.0, 30.0, 90.0, 66.0, 1),
    (0, 70.25, 40.0, 126.0, 127.0, 1),
    (2, 20.0, 20.0, 44.0, 31.0, 2),
]


def head_of(maps: int = 2) -> Head:
    return Head("small", tuple(Level(f"map{i}", 4, 32, 32) for i in range(maps)), 3, (128, 128))


def targets_of(rows: list[tuple[float, ...]], images: int = 3) -> Targets:
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    return Targets(table[:, 0].long(), table[:, 5].long(), table[:, 1:5], images, "xyxy_px")


def noise(family: Any, head: Head, hyp: Any, profile: str, images: int = 3) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(7)
    count = family.prior(head, hyp, profile)[0].shape[1]
    return [torch.randn((images, 1, 32, 32, count), generator=source, dtype=torch.float64) for _ in head.levels]


def by_term(family: Any, breakdown: LossBreakdown) -> dict[str, float]:
    return {name: float(breakdown.item(name).detach()) for name in family.TERMS}


def run(family: Any, head: Head, hyp: Any, profile: str, rows: list[tuple[float, ...]], predictions: Any, images: int = 3) -> LossBreakdown:
    targets = targets_of(rows, images)
    assignment = family.assign(head, hyp, targets, profile=profile)
    return family.loss(head, hyp, targets, predictions, assignment, profile=profile)


@pytest.fixture(params=PROFILES, ids=lambda pair: "-".join(pair))
def chosen(request: pytest.FixtureRequest) -> tuple[Any, str]:
    name, profile = request.param
    return families.load(name), profile


@pytest.mark.parametrize("rows", [BOXES, BOXES + BOXES[:2], []], ids=["plain", "twins", "none"])
@pytest.mark.parametrize("kind", ["prior", "perfect"])
def test_a_head_that_is_never_built_costs_what_the_built_one_does(chosen: tuple[Any, str], rows: list[Any], kind: str) -> None:
    family, profile = chosen
    head, hyp = head_of(), family.Hyp()
    targets = targets_of(rows)
    assignment = family.assign(head, hyp, targets, profile=profile)
    if kind == "prior":
        lazy: Any = ConstantHead(family.prior(head, hyp, profile), head.levels, 3)
    else:
        lazy = family.perfect(head, hyp, profile, targets, assignment)
    dense = DensePredictions([lazy.dense(index) for index in range(2)])
    one, other = (by_term(family, run(family, head, hyp, profile, rows, predictions)) for predictions in (lazy, dense))
    assert one == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_perfect_is_nearly_nothing_and_never_worse_than_the_prior(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head, hyp, targets = head_of(), family.Hyp(), targets_of(BOXES)
    assignment = family.assign(head, hyp, targets, profile=profile)
    before = by_term(family, run(family, head, hyp, profile, BOXES, ConstantHead(family.prior(head, hyp, profile), head.levels, 3)))
    after = by_term(family, run(family, head, hyp, profile, BOXES, family.perfect(head, hyp, profile, targets, assignment)))
    assert all(after[name] <= before[name] for name in family.TERMS)
    assert after["heatmap"] < 1e-5
    assert after["offset"] == pytest.approx(0, abs=1e-7)


def test_perfect_says_no_next_to_a_centre() -> None:
    """A cell of class 1 inside the Gaussian of class 0 is a negative of class 0, and no half a positive."""
    family = families.load("centernet")
    near = [(0, 20.0, 20.0, 100.0, 100.0, 0), (0, 24.0, 20.0, 104.0, 100.0, 1)]
    head, hyp, targets = head_of(1), family.Hyp(), targets_of(near)
    assignment = family.assign(head, hyp, targets, profile="xingyizhou")
    answers = family.perfect(head, hyp, "xingyizhou", targets, assignment)
    assert float(run(family, head, hyp, "xingyizhou", near, answers).item("heatmap")) < 1e-8


def test_base_rate_is_a_minimum_of_every_term(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head, hyp = head_of(), family.Hyp()
    batches = [targets_of(BOXES), targets_of([*BOXES[:2], (1, 3.0, 3.0, 11.0, 90.0, 2)]), targets_of([])]
    found = [BatchTargets(batch, family.assign(head, hyp, batch, profile=profile)) for batch in batches]
    fitted = family.base_rate(head, hyp, profile, found)

    def cost(bias: list[torch.Tensor]) -> float:
        constant = ConstantHead(bias, head.levels, 3)
        return sum(float(family.loss(head, hyp, b.targets, constant, b.assignment, profile=profile).total) for b in found)

    best = cost(list(fitted))
    assert best < cost(list(family.prior(head, hyp, profile)))
    for channel in range(fitted[0].shape[1]):
        for shift in (-0.05, 0.05):
            moved = [bias.clone() for bias in fitted]
            moved[1][0, channel] += shift
            assert best <= cost(moved) + 1e-9


def test_base_rate_without_batches_is_the_prior(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head, hyp = head_of(), family.Hyp()
    for one, other in zip(family.base_rate(head, hyp, profile, []), family.prior(head, hyp, profile), strict=True):
        torch.testing.assert_close(one, other)


def test_the_order_of_labels_and_of_images_makes_no_difference(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head, hyp = head_of(), family.Hyp()
    maps = noise(family, head, hyp, profile)
    wanted = by_term(family, run(family, head, hyp, profile, BOXES, DensePredictions(maps)))
    shuffled = [BOXES[i] for i in (3, 1, 0, 2)]
    assert by_term(family, run(family, head, hyp, profile, shuffled, DensePredictions(maps))) == pytest.approx(wanted, rel=1e-6)
    moved = [(2 - row[0], *row[1:]) for row in BOXES]
    turned = DensePredictions([tensor.flip(0) for tensor in maps])
    assert by_term(family, run(family, head, hyp, profile, moved, turned)) == pytest.approx(wanted, rel=1e-6)


def test_a_batch_sums_what_its_images_sum(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head, hyp = head_of(), family.Hyp()
    maps = noise(family, head, hyp, profile)
    whole = run(family, head, hyp, profile, BOXES, DensePredictions(maps))
    parts = [
        run(family, head, hyp, profile, [(0, *r[1:]) for r in BOXES if r[0] == i], DensePredictions([m[i : i + 1] for m in maps]), 1)
        for i in range(3)
    ]
    for index, term in enumerate(whole.terms):
        if term.name == "heatmap":
            sums = [part.terms[index].raw * max(1, part.terms[index].count) for part in parts]
            torch.testing.assert_close(term.raw * term.count, torch.stack(sums).sum())
        each = torch.cat([part.terms[index].per_positive for part in parts])
        torch.testing.assert_close(term.per_positive, each)


def test_an_empty_batch_has_negatives_only(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head, hyp = head_of(), family.Hyp()
    maps = [tensor.requires_grad_() for tensor in noise(family, head, hyp, profile)]
    breakdown = run(family, head, hyp, profile, [], DensePredictions(maps))
    breakdown.total.backward()
    found = by_term(family, breakdown)
    assert found.pop("heatmap") > 100
    assert set(found.values()) == {0.0}
    assert all(term.count == 0 for term in breakdown.terms)
    cls = family.channels(head).cls
    assert all(float(tensor.grad[..., : cls.start].abs().sum()) == 0 for tensor in maps)  # type: ignore[index]
    assert all(float(tensor.grad[..., cls].abs().sum()) > 0 for tensor in maps)  # type: ignore[index]


def test_gradients_of_the_whole_loss(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head = Head("tiny", tuple(Level(f"map{i}", 4, 4, 4) for i in range(2)), 1, (16, 16))
    targets = targets_of([(0, 1.0, 2.0, 9.0, 13.0, 0), (0, 6.0, 2.0, 15.0, 9.0, 0)], 1)
    assignment = family.assign(head, family.Hyp(), targets, profile=profile)
    source = torch.Generator().manual_seed(3)
    maps = [torch.randn((1, 1, 4, 4, 5 if family.ID == "centernet" else 4), generator=source, dtype=torch.float64) for _ in range(2)]

    def total(*levels: torch.Tensor) -> torch.Tensor:
        return family.loss(head, family.Hyp(), targets, DensePredictions(levels), assignment, profile=profile).total

    assert torch.autograd.gradcheck(total, tuple(tensor.requires_grad_() for tensor in maps), fast_mode=True)


def test_every_box_has_rows_or_a_reason(chosen: tuple[Any, str]) -> None:
    family, profile = chosen
    head, hyp = head_of(), family.Hyp()
    odd = [(0, 50.0, 8.0, 50.0, 20.0, 0), (1, 900.0, 8.0, 960.0, 20.0, 0), (1, 8.0, 8.0, 40.0, 40.0, 9)]
    targets = targets_of([*BOXES, *odd])
    assignment = family.assign(head, hyp, targets, profile=profile)
    why = family.reasons(head, hyp, targets, assignment, profile=profile)
    assert set(why) | set(assignment.gt.tolist()) == set(range(len(targets.boxes)))
    assert set(why).isdisjoint(assignment.gt.tolist())
    assert why[6].key == "class"
    assert 6 in family.refused(head, hyp, targets, profile=profile)


@pytest.mark.parametrize(("profile", "stops"), [("xingyizhou", False), ("zzzxxxttt", True)])
def test_more_objects_than_slots(profile: str, stops: bool) -> None:
    family = families.load("centernet")
    head, hyp = head_of(1), replace(family.Hyp(), max_objs=2)
    targets = targets_of([BOXES[0], BOXES[1], BOXES[2], BOXES[3], (0, 5.0, 5.0, 5.0, 9.0, 0)])
    assignment = family.assign(head, hyp, targets, profile=profile)
    assert assignment.gt.tolist() == [0, 1, 3]
    why = family.reasons(head, hyp, targets, assignment, profile=profile)
    assert {gt: reason.key for gt, reason in why.items()} == {2: "max_objs", 4: "zero_size"}
    assert why[2].text.startswith("beyond max_objs 2")
    assert ("IndexError" in why[2].text) is stops
    assert why[4].text == "zero size after clipping to the output grid: 0x1 cells"
    assert set(family.refused(head, hyp, targets, profile=profile)) == ({2} if stops else set())


def test_more_corners_than_tags() -> None:
    family = families.load("cornernet")
    targets = targets_of(BOXES[:3])
    why = family.reasons(head_of(), replace(family.Hyp(), max_tag_len=2), targets, None, profile="e5c39a3")
    assert {gt: reason.text for gt, reason in why.items()} == {2: "beyond max_tag_len 2: the trainer stops with IndexError"}


def test_a_head_without_a_map_for_each_corner() -> None:
    family = families.load("cornernet")
    with pytest.raises(DetlossError, match="a map for each corner, this head has 1"):
        family.assign(head_of(1), family.Hyp(), targets_of(BOXES), profile="e5c39a3")


def test_twins_count_once_in_the_heat_map_and_twice_in_the_rest() -> None:
    family = families.load("centernet")
    head, hyp = head_of(1), family.Hyp()
    maps = DensePredictions(noise(family, head, hyp, "xingyizhou"))
    terms = {term.name: term for term in run(family, head, hyp, "xingyizhou", BOXES[:1] * 2, maps).terms}
    assert (terms["heatmap"].count, terms["size"].count, terms["offset"].count) == (1, 2, 2)


def test_gains_are_the_mean_over_stacks() -> None:
    for name, maps in (("centernet", 2), ("cornernet", 4)):
        family = families.load(name)
        ledger = {gain.term: gain.used for gain in family.gain_ledger(family.Hyp(), head_of(maps), list(family.PROFILES)[-1])}
        assert tuple(ledger) == family.TERMS
        assert set(ledger.values()) <= {0.5, 0.05}


def test_a_size_for_each_class_trains_the_box_class_alone() -> None:
    family = families.load("centernet")
    head, hyp = head_of(1), replace(family.Hyp(), cat_spec_wh=True)
    targets = targets_of(BOXES)
    assignment = family.assign(head, hyp, targets, profile="xingyizhou")
    assert family.prior(head, hyp, "xingyizhou")[0].shape == (1, 2 * 3 + 2 + 3)
    maps = [tensor.requires_grad_() for tensor in noise(family, head, hyp, "xingyizhou")]
    breakdown = family.loss(head, hyp, targets, DensePredictions(maps), assignment, profile="xingyizhou")
    breakdown.item("size").backward()
    touched = {(int(i), int(c) // 2) for i, _, _, _, c in torch.nonzero(maps[0].grad)}
    assert touched == {(row[0], row[5]) for row in BOXES}
    answers = family.perfect(head, hyp, "xingyizhou", targets, assignment)
    perfect = family.loss(head, hyp, targets, answers, assignment, profile="xingyizhou")
    assert float(perfect.item("size")) == pytest.approx(0, abs=1e-7)
    found = [BatchTargets(targets, assignment)]
    constant = ConstantHead(family.base_rate(head, hyp, "xingyizhou", found), head.levels, 3)
    alone = family.loss(head, hyp, targets, constant, assignment, profile="xingyizhou").terms[1].per_positive
    assert alone is not None
    assert float(alone[3]) == pytest.approx(0, abs=1e-9)  # the only box of its class


@pytest.mark.parametrize("choice", [{"norm_wh": True}, {"reg_loss": "sl1"}])
def test_other_size_terms_reach_zero(choice: dict[str, Any]) -> None:
    family = families.load("centernet")
    head, hyp, targets = head_of(1), replace(family.Hyp(), **choice), targets_of(BOXES)
    assignment = family.assign(head, hyp, targets, profile="xingyizhou")
    answers = family.perfect(head, hyp, "xingyizhou", targets, assignment)
    assert float(run(family, head, hyp, "xingyizhou", BOXES, answers).item("size")) == pytest.approx(0, abs=1e-9)


def test_choices_that_the_trainer_cannot_compute() -> None:
    family = families.load("centernet")
    maps = DensePredictions(noise(family, head_of(1), family.Hyp(), "xingyizhou"))
    for choice in ({"reg_loss": "l2"}, {"norm_wh": True, "cat_spec_wh": True}):
        with pytest.raises(DetlossError):
            run(family, head_of(1), replace(family.Hyp(), **choice), "xingyizhou", BOXES, maps)


def test_radius_forms_order_the_weight_of_negatives() -> None:
    family: ModuleType | Any = families.load("centernet")
    head, hyp = head_of(1), family.Hyp()
    near = []
    for profile in ("zzzxxxttt", "xingyizhou"):
        maps = DensePredictions(noise(family, head, hyp, profile))
        near.append(run(family, head, hyp, profile, BOXES, maps).extra["maps"][0]["near_cells"])
    assert all(small < large for small, large in pairwise(near))
