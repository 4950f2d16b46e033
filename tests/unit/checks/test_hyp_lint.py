from dataclasses import dataclass

import pytest

from detloss_cli.checks.hyp_facts import FACTS, role
from detloss_cli.checks.hyp_lint import hyp_faults, lint
from detloss_cli.checks.judge import judge
from detloss_cli.families.hyp import hyp_keys
from detloss_cli.families.yolov5 import Hyp
from detloss_cli.inputs import shipped
from detloss_cli.inputs.hyp_yaml import read_hyp

V5 = hyp_keys(Hyp)
BASE = "box: 0.05\ncls: 0.5\ncls_pw: 1.0\nobj: 1.0\nobj_pw: 1.0\nanchor_t: 4.0\nfl_gamma: 0.0\n"


@dataclass(frozen=True)
class Key:
    name: str
    default: float
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@pytest.fixture
def faults_of(tmp_path):
    def run(text, family="yolov5", keys=V5, aliases=None):
        path = tmp_path / "hyp.yaml"
        path.write_text(text)
        return [(f.kind, f.line, f.token, f.detail) for f in hyp_faults(read_hyp(str(path)), family, keys, aliases)]

    return run


def test_a_plain_file_has_nothing_to_say(faults_of):
    assert faults_of(BASE) == []
    assert faults_of("") == []


def test_a_missing_key(faults_of):
    assert faults_of(BASE.replace("anchor_t: 4.0\n", "")) == [("hyp-key-missing", None, "anchor_t", "yolov5")]
    assert faults_of(BASE.replace("box", "giou"), aliases={"giou": "box"}) == []


@pytest.mark.parametrize(
    ("line", "kind", "detail"),
    [
        ("anchr_t: 3.0", "hyp-key-unknown", "anchor_t"),
        ("zzzzzz: 3.0", "hyp-key-unknown", ""),
        ("giou: 3.54", "hyp-key-foreign", "yolov3-spp, not by yolov5"),
        ("dfl: 1.5", "hyp-key-foreign", "yolov8, not by yolov5"),
        ("iou_t: 0.2", "hyp-key-dead", "no yolov5 release since 2.0 reads it; matching goes by anchor_t"),
        ("label_smoothing: 0.1", "hyp-key-overwritten", "train.py puts the value of --label-smoothing (0 unless given) in its place"),
        ("anchors: 3.4", "hyp-anchors", ""),
    ],
)
def test_keys_that_do_nothing_or_something_else(faults_of, line, kind, detail):
    (found,) = faults_of(f"{BASE}{line}\n")
    assert (found[0], found[1], found[3]) == (kind, 8, detail)


def test_keys_that_the_trainer_reads_elsewhere_are_known(faults_of):
    assert faults_of(BASE + "lr0: 0.01\nmosaic: 1.0\nlabel_smoothing: 0.0\n") == []


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("box", 7.5, "hyp-other-scale"),
        ("cls", 37.4, "hyp-other-scale"),
        ("box", -0.05, "hyp-negative"),
        ("cls_pw", -1.0, "hyp-negative"),
        ("anchor_t", 1.0, "hyp-no-match"),
        ("anchor_t", 9.0, "hyp-range"),
        ("fl_gamma", -1.0, "hyp-range"),
        ("box", 0.0, "hyp-range"),
        ("obj", 0.301, None),
    ],
)
def test_values(faults_of, key, value, kind):
    text = "".join(f"{key}: {value}\n" if line.startswith(f"{key}:") else f"{line}\n" for line in BASE.splitlines())
    assert [found[0] for found in faults_of(text)] == ([kind] if kind else [])


def test_the_scale_names_the_family_it_fits(faults_of):
    (found,) = faults_of(BASE.replace("0.05", "7.5"))
    assert found[3] == "7.5 is 150 times what yolov5 takes (0.05), the scale of yolov8"
    (found,) = faults_of("box: 0.05\n", "yolov8", (Key("box", 7.5),))
    assert found[3] == "0.05 is 1/150 of what yolov8 takes (7.5), the scale of yolov5 and yolov7"


@pytest.mark.parametrize("name", ["scratch-low", "scratch-med", "scratch-high", "finetune", "VOC", "Objects365"])
def test_shipped_files_only_have_known_oddities(name):
    kinds = {f.kind for f in hyp_faults(read_hyp(name), "yolov5", V5)}
    assert kinds <= {"hyp-key-dead", "hyp-anchors"}


@pytest.mark.parametrize("name", sorted(set(shipped.hyps()) & set(FACTS)))
def test_shipped_files_of_other_families_hold_what_their_loss_reads(name):
    file = read_hyp(name)
    keys = [Key(key, value) for key, value in file.values.items()]
    assert [f for f in hyp_faults(file, name, keys) if f.kind != "hyp-key-dead"] == []


def test_each_fault_becomes_a_finding_with_code_and_place(tmp_path):
    path = tmp_path / "hyp.yaml"
    path.write_text("box: 5e-2\nanchr_t: .nan\n")
    file = read_hyp(str(path))
    findings = list(judge([*file.faults, *hyp_faults(file, "yolov5", V5)]))
    assert [(f.code, f.severity, f.where.line) for f in findings][:2] == [("DET352", "error", 1), ("DET353", "error", 2)]
    assert {f.rule for f in findings if f.severity == "error"} == {"hyp-number-as-text", "hyp-not-finite", "hyp-key-missing"}


@pytest.mark.parametrize(("profile", "rules"), [("3.0", set()), ("3.1", {"hyp-key-foreign", "hyp-key-missing"})])
def test_giou_is_the_box_gain_up_to_3_0(tmp_path, profile, rules):
    path = tmp_path / "hyp.yaml"
    path.write_text(BASE.replace("box", "giou"))
    assert {finding.rule for finding in lint(read_hyp(str(path)), "yolov5", profile, V5)} == rules


@pytest.mark.parametrize(
    ("key", "family", "expected"),
    [
        ("box", "yolov5", "loss"),
        ("lr0", "yolov5", "trainer"),
        ("iou_t", "yolov5", "dead"),
        ("iou_t", "yolov3-spp", "loss"),
        ("label_smoothing", "yolov5", "overwritten"),
        ("giou", "yolov5", "other family"),
        ("bx", "yolov5", "unknown"),
        ("imgsz", "yolov8", "trainer"),
        ("bx", "no such family", "unknown"),
    ],
)
def test_who_reads_a_key(key, family, expected):
    assert role(key, family, {"box"}) == expected
