"""Switches of the loss from a request to the facts: autobalance, gr, smoothing, other forms, and gains that nothing reads."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from detloss_cli.diagnose import loss as diagnose
from detloss_cli.errors import DetlossError
from detloss_cli.facts import Facts, LossFacts
from detloss_cli.resolve import Request

ROOT = Path(__file__).resolve().parents[2]
DATA = (str(ROOT / "sample_data" / "vegetables" / "data.yaml"),)


def computed(**given: object) -> Facts:
    return diagnose.compute(Request(data=DATA, device="cpu", **given))[0]  # type: ignore[arg-type]


def loss_of(facts: Facts) -> LossFacts:
    assert facts.loss is not None
    return facts.loss


def objectness(facts: Facts) -> dict[str | None, tuple[float, float, float]]:
    """(raw, gain, value) of the objectness term by level."""
    return {term.level: (term.raw, term.gain, term.value) for term in loss_of(facts).terms if term.name == "obj"}


def test_autobalance_over_one_batch_uses_the_old_weights_and_leaves_new_ones() -> None:
    moving = computed(batch_size=64, overrides={"autobalance": True})
    noisy = [computed(batch_size=64, head="noise", overrides=overrides) for overrides in ({}, {"autobalance": True})]
    assert loss_of(noisy[0]).totals == loss_of(noisy[1]).totals  # noise goes batch by batch with and without: to the bit
    # Weights that move go batch by batch, in the float32 sums of the trainer; those that stay are streamed, and summed in float64. The
    # box term differs by 8e-8 over these 3,000 rows, and the streamed one is the nearer to a loss in float64 throughout.
    plain = computed(batch_size=64)
    assert loss_of(moving).totals == pytest.approx(loss_of(plain).totals, rel=1e-6)
    raw = {level: values[0] for level, values in objectness(plain).items()}
    levels = moving.levels or ()
    after = [4.0, 1.0, 0.4]
    after = [weight * 0.9999 + 0.0001 / raw[level.level] for weight, level in zip(after, levels, strict=True)]
    assert [level.balance for level in levels] == [4.0, 1.0, 0.4]
    assert [level.balance_after for level in levels] == pytest.approx([weight / after[1] for weight in after], rel=1e-6)
    assert [level.balance_after for level in plain.levels or ()] == [None] * 3


def test_the_gain_of_autobalance_is_the_mean_over_batches() -> None:
    facts = computed(batch_size=4, overrides={"autobalance": True})
    assert loss_of(facts).batches > 3
    for level in facts.levels or ():
        raw, gain, value = objectness(facts)[level.level]
        assert level.balance is not None
        assert level.balance_after is not None
        low, high = sorted((level.balance, level.balance_after))
        assert low <= gain <= high
        assert value == pytest.approx(raw * gain, rel=1e-2)


def test_autobalance_wants_a_level_of_stride_16(tmp_path: Path) -> None:
    model = tmp_path / "model.yaml"
    model.write_text("strides: [8, 32]\nanchors: [[10, 13, 16, 30, 33, 23], [116, 90, 156, 198, 373, 326]]\n")
    with pytest.raises(DetlossError, match="stride 16"):
        computed(model=str(model), family="yolov5", overrides={"autobalance": True})


def test_gr_0_wants_certainty_of_every_positive() -> None:
    levels = computed(overrides={"gr": 0.0}).levels or ()
    assert [level.obj_target_mean for level in levels] == [1.0] * 3
    half, full = (computed(overrides={"gr": gr}).levels or () for gr in (0.5, 1.0))
    for some, whole in zip(half, full, strict=True):
        assert whole.obj_target_mean is not None
        assert some.obj_target_mean == pytest.approx(0.5 + 0.5 * whole.obj_target_mean)


def test_smoothing_raises_what_a_perfect_head_pays() -> None:
    plain, smooth = (loss_of(computed(overrides=switches)) for switches in ({}, {"label_smoothing": 0.1}))
    assert plain.marks["perfect"]["cls"] < 1e-4 < smooth.marks["perfect"]["cls"]
    assert plain.totals["obj"] == smooth.totals["obj"]


def test_other_forms_of_the_same_tensors() -> None:
    loss = loss_of(computed(what_if=("bce", "focal", "qfocal", "blur")))
    assert list(loss.what_if) == ["bce", "focal", "qfocal", "blur"]
    assert loss.what_if["bce"] == loss.totals
    for totals in loss.what_if.values():
        assert totals["box"] == loss.totals["box"]
        assert totals["total"] == pytest.approx(math.fsum(totals[name] for name in ("box", "obj", "cls")))
    assert loss.what_if["focal"]["obj"] < loss.totals["obj"]
    noise = loss_of(computed(head="noise", what_if=("blur",)))  # blur weighs down what is sure of a thing that is not labelled
    assert noise.what_if["blur"]["obj"] < noise.totals["obj"]


@pytest.mark.parametrize("family", ["yolov3-spp", "yolov7"])
def test_other_families_of_anchors_have_forms_too(family: str) -> None:
    loss = loss_of(computed(family=family, what_if=("focal",)))
    assert loss.what_if["focal"]["obj"] < loss.totals["obj"]


def test_a_family_of_one_form_says_so() -> None:
    with pytest.raises(DetlossError, match="centernet has one form"):
        computed(family="centernet", what_if=("focal",))


KEYS = (
    "hm_weight: 5.0\nwh_weight: 5.0\noff_weight: 5.0\nmax_objs: 128\nmin_overlap: 0.7\nreg_loss: sl1\nnorm_wh: false\ncat_spec_wh: true\n"
)


def test_gains_that_the_code_fixes_are_dead(tmp_path: Path) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(KEYS)
    plain = computed(family="centernet", profile="zzzxxxttt")
    dead = computed(family="centernet", profile="zzzxxxttt", hyp=str(path))
    assert loss_of(plain).totals == loss_of(dead).totals
    assert [(gain.key, gain.used, gain.note) for gain in dead.gains or ()] == [
        ("", 1.0, "hm_weight is dead"),
        ("", 0.1, "wh_weight is dead"),
        ("", 1.0, "off_weight is dead"),
    ]
    alive = computed(family="centernet", profile="xingyizhou", hyp=str(path))
    assert [(gain.key, gain.used, gain.note) for gain in alive.gains or ()] == [
        ("hm_weight", 5.0, ""),
        ("wh_weight", 5.0, ""),
        ("off_weight", 5.0, ""),
    ]
    raw_alive, raw_plain = ([term.raw for term in loss_of(facts).terms if term.name == "offset"] for facts in (alive, plain))
    assert raw_alive != raw_plain


@pytest.mark.parametrize(("profile", "dead"), [("zzzxxxttt", 6), ("xingyizhou", 0)])
def test_inspect_hyp_shows_dead_keys(profile: str, dead: int, tmp_path: Path) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(KEYS)
    facts, findings = diagnose.inspect_hyp(Request("inspect hyp", family="centernet", profile=profile, hyp=str(path)))
    assert len([found for found in findings if found.rule == "hyp-key-dead"]) == dead
    used = {key.key: key.used for key in facts.hyp or ()}
    assert list(used.values()).count(False) == dead
    assert used["max_objs"]
    assert used["min_overlap"]


@pytest.mark.parametrize(("line", "kind"), [("reg_loss: l2", "hyp-not-choice"), ("norm_wh: 1", "hyp-not-choice")])
def test_words_of_centernet(line: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(f"{line}\n")
    _, findings = diagnose.inspect_hyp(Request("inspect hyp", family="centernet", hyp=str(path)))
    assert [found.rule for found in findings] == [kind]


@pytest.mark.parametrize("line", ["norm_wh: true", "cat_spec_wh: true", "reg_loss: sl1"])
def test_keys_of_centernet_change_the_size_term(line: str, tmp_path: Path) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(f"{line}\n")
    assert loss_of(computed(family="centernet", hyp=str(path))).marks["base_rate"]["size"] != pytest.approx(
        loss_of(computed(family="centernet")).marks["base_rate"]["size"], rel=1e-3
    )
