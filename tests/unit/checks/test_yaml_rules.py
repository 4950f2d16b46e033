"""Every rule about YAML files: its page, its words, and the smallest file that trips it."""

import os

import pytest

from detloss_cli import families
from detloss_cli.checks import data_yaml, hyp_yaml, model_yaml, yaml_text
from detloss_cli.checks.hyp_lint import hyp_faults
from detloss_cli.checks.judge import judge
from detloss_cli.checks.model_yaml import model_faults
from detloss_cli.checks.registry import BY_NAME, RULES
from detloss_cli.families.hyp import hyp_keys
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.hyp_yaml import read_hyp, to_record
from detloss_cli.inputs.model_yaml import read_model_file

OURS = [*yaml_text.RULES, *data_yaml.RULES, *hyp_yaml.RULES, *model_yaml.RULES]
PATHS = "train: images\nval: images\n"
NAMES = "names: [a, b]\n"
KEYS = "box: 0.05\ncls: 0.5\ncls_pw: 1.0\nobj: 1.0\nobj_pw: 1.0\nanchor_t: 4.0\nfl_gamma: 0.0\n"

# (rule, file kind, text)
SMALLEST = [
    ("yaml-syntax", "data", PATHS + NAMES + "x:\n\ty: 1\n"),
    ("yaml-encoding", "data", PATHS + "names: [caf\udce9]\n"),
    ("yaml-too-large", "data", PATHS + NAMES + "#" * (1 << 20)),
    ("yaml-too-deep", "data", PATHS + NAMES + "x: " + "[" * 65),
    ("yaml-alias", "data", PATHS + NAMES + "x: &a 1\ny: *a\n"),
    ("yaml-tag", "data", PATHS + NAMES + "x: !!python/name:os.system y\n"),
    ("yaml-merge", "data", PATHS + NAMES + "x:\n  <<: {a: 1}\n"),
    ("yaml-duplicate-key", "data", PATHS + NAMES + "train: images\n"),
    ("yaml-not-a-mapping", "data", "- a\n"),
    ("yaml-word", "data", PATHS + "nc: 02\n" + NAMES),
    ("data-key-missing", "data", PATHS),
    ("data-nc-names", "data", PATHS + "nc: 3\n" + NAMES),
    ("data-nc-value", "data", PATHS + "nc: two\n" + NAMES),
    ("data-names-absent", "data", PATHS + "nc: 2\n"),
    ("data-names-form", "data", PATHS + "names: cat\n"),
    ("data-names-key", "data", PATHS + "names: {a: b}\n"),
    ("data-names-gap", "data", PATHS + "names: {0: a, 2: b}\n"),
    ("data-name-not-text", "data", PATHS + "names: [no]\n"),
    ("data-name-number", "data", PATHS + "names: [1]\n"),
    ("data-name-control", "data", PATHS + 'names: ["\\e[2J"]\n'),
    ("data-name-twice", "data", PATHS + "names: [a, a]\n"),
    ("data-download-script", "data", PATHS + NAMES + "download: bash get.sh\n"),
    ("data-download-url", "data", PATHS + NAMES + "download: https://x.y/z.zip\n"),
    ("data-path-outside", "data", PATHS + NAMES + "test: /etc\n"),
    ("data-path-missing", "data", "train: images\nval: image\n" + NAMES),
    ("data-images-missing", "data", PATHS + NAMES + "test: gone/images\n"),
    ("data-optional-missing", "data", PATHS + NAMES + "test: x\n"),
    ("data-path-form", "data", PATHS + NAMES + "test: [{a: b}]\n"),
    ("data-path-without-parent", "data", PATHS + NAMES + "test: ../images\n"),
    ("data-root-missing", "data", "path: nowhere\n" + PATHS + NAMES),
    ("data-root-outside", "data", "path: ../other\ntrain: pictures\nval: pictures\n" + NAMES),
    ("data-root-replaced", "data", "path: C:\\data\n" + PATHS + NAMES),
    ("data-key-unknown", "data", PATHS + NAMES + "tests: images\n"),
    ("hyp-empty", "hyp", ""),
    ("hyp-form", "hyp", KEYS + "lr0: [1]\n"),
    ("hyp-number-as-text", "hyp", KEYS + "lr0: 1e-3\n"),
    ("hyp-not-finite", "hyp", KEYS + "lr0: .nan\n"),
    ("hyp-not-number", "hyp", KEYS.replace("4.0", "four")),
    ("hyp-not-choice", "centernet", "reg_loss: l2\n"),
    ("hyp-no-value", "hyp", KEYS.replace("4.0", "")),
    ("hyp-key-missing", "hyp", KEYS.replace("anchor_t: 4.0\n", "")),
    ("hyp-key-unknown", "hyp", KEYS + "anchr_t: 3.0\n"),
    ("hyp-key-foreign", "hyp", KEYS + "dfl: 1.5\n"),
    ("hyp-key-dead", "hyp", KEYS + "iou_t: 0.2\n"),
    ("hyp-key-overwritten", "hyp", KEYS + "label_smoothing: 0.1\n"),
    ("hyp-anchors", "hyp", KEYS + "anchors: 3\n"),
    ("hyp-no-match", "hyp", KEYS.replace("4.0", "1.0")),
    ("hyp-negative", "hyp", KEYS.replace("0.05", "-0.05")),
    ("hyp-other-scale", "hyp", KEYS.replace("0.05", "7.5")),
    ("hyp-range", "hyp", KEYS.replace("4.0", "9.0")),
    ("model-form", "model", ""),
    ("model-anchors-form", "model", "strides: [8]\nanchors: [[1]]\n"),
    ("model-anchors-fitted", "model", "strides: [8]\nanchors: 3\n"),
    ("model-value", "model", "strides: [8]\nanchors: [[1, 2]]\nwidth_multiple: wide\n"),
    ("model-levels", "model", "strides: [8, 16]\nanchors: [[1, 2]]\n"),
    ("model-strides", "model", "anchors: [[1, 2]]\n"),
    ("model-nc-differs", "model", "nc: 80\nstrides: [8]\nanchors: [[1, 2]]\n"),
]


@pytest.fixture
def findings_of(tmp_path, monkeypatch):
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "gone" / "labels").mkdir(parents=True)
    (tmp_path / "other" / "pictures").mkdir(parents=True)
    monkeypatch.chdir(folder)

    def run(kind, text):
        path = folder / f"{kind}.yaml"
        path.write_bytes(os.fsencode(text))
        if kind == "data":
            return list(judge(read_data(str(path), root=str(folder) if "C:" in text else None)[1]))
        if kind in ("hyp", "centernet"):
            family = families.load("yolov5" if kind == "hyp" else kind)
            file, keys = read_hyp(str(path)), hyp_keys(family.Hyp)
            return list(judge([*file.faults, *to_record(file, keys, family.Hyp)[1], *hyp_faults(file, family.ID, keys)]))
        model = read_model_file(str(path))
        return list(judge([*model.faults, *model_faults(model, 2)]))

    return run


@pytest.mark.parametrize(("name", "kind", "text"), SMALLEST, ids=[name for name, _, _ in SMALLEST])
def test_the_smallest_file_trips_exactly_its_rule(findings_of, name, kind, text):
    findings = findings_of(kind, text)
    assert {f.rule for f in findings} == {name}
    for finding in findings:
        assert (finding.code, finding.severity) == (BY_NAME[name].code, BY_NAME[name].severity)
        assert finding.message
        assert "None" not in finding.message


def test_every_rule_is_tripped_by_one_file():
    assert sorted(name for name, _, _ in SMALLEST) == sorted(rule.name for rule in OURS)


def test_every_rule_has_a_page_and_a_code_of_its_own():
    assert len(RULES) == len(BY_NAME)
    for rule in OURS:
        assert RULES[rule.code] is rule
        assert rule.code.startswith("DET3")
        assert rule.summary.endswith(".")
        assert rule.manual.startswith(rule.summary)
