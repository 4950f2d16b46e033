import math
from dataclasses import dataclass, replace

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.inputs import shipped
from detloss_cli.inputs.hyp_yaml import read_hyp, to_record


@dataclass(frozen=True)
class Key:
    name: str
    default: float | str | bool
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    box: float = 0.05
    objs: int = 128
    switch: bool = False
    reg_loss: str = "l1"


KEYS = (
    Key("box", 0.05),
    Key("objs", 128),
    Key("switch", False, choices=("true", "false")),
    Key("reg_loss", "l1", choices=("l1", "sl1")),
)


@pytest.fixture
def hyp(tmp_path):
    def read(text):
        path = tmp_path / "hyp.yaml"
        path.write_text(text)
        return read_hyp(str(path))

    return read


def kinds(faults):
    return [(f.kind, f.line) for f in faults]


def test_values_and_lines(hyp):
    file = hyp("# x\nbox: 0.05\nname: abc\nflag: true\nnone:\n")
    assert file.values == {"box": 0.05, "name": "abc", "flag": True, "none": None}
    assert file.lines == {"box": 2, "name": 3, "flag": 4, "none": 5}
    assert file.faults == ()


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("box: 5e-2", 0.05, [("hyp-number-as-text", 1)]),
        ("box: '0.05'", 0.05, [("hyp-number-as-text", 1)]),
        ("box: 5.0e-2", 0.05, []),
        ("box: 010", 8, [("yaml-word", 1)]),
        ("box: yes", True, [("yaml-word", 1)]),
        ("box: 1:30", 90, [("yaml-word", 1)]),
        ("box: .inf", math.inf, [("hyp-not-finite", 1)]),
        ("box: 1e999", math.inf, [("hyp-number-as-text", 1), ("hyp-not-finite", 1)]),
        ("box: 2020-01-02", "2020-01-02", [("yaml-word", 1)]),
    ],
)
def test_words_of_yaml_1_1(hyp, text, value, expected):
    file = hyp(text + "\n")
    assert file.values["box"] == value
    assert kinds(file.faults) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("hyp-empty", None)]),
        ("- a\n", [("yaml-not-a-mapping", 1)]),
        ("box: [1]\n", [("hyp-form", 1)]),
        ("box: 1.0\nbox: 2.0\n", [("yaml-duplicate-key", 2)]),
        ("box: !!python/name:os.system x\n", [("yaml-tag", 1)]),
        ("x: " + "[" * 1000, [("yaml-too-deep", 1)]),
    ],
)
def test_faults(hyp, text, expected):
    assert kinds(hyp(text).faults) == expected


def test_a_record_takes_what_is_usable_and_keeps_defaults(hyp):
    record, faults = to_record(hyp("objs: 64.0\nother: 1\n"), KEYS, Record)
    assert (record, faults) == (Record(0.05, 64), ())
    assert type(record.objs) is int
    record, faults = to_record(hyp("box: .nan\nobjs: abc\n"), KEYS, Record)
    assert (record, kinds(faults)) == (Record(), [("hyp-not-number", 2)])
    assert kinds(to_record(hyp("box:\nobjs: true\n"), KEYS, Record)[1]) == [("hyp-no-value", 1), ("hyp-not-number", 2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("switch: true", Record(switch=True)),
        ("switch: 'true'", Record(switch=True)),
        ("switch: false", Record()),
        ("switch: 1", None),
        ("reg_loss: sl1", Record(reg_loss="sl1")),
        ("reg_loss: L1", None),
        ("reg_loss: true", None),
        ("reg_loss: 1", None),
    ],
)
def test_a_key_of_words_takes_one_of_them(hyp, text, expected):
    record, faults = to_record(hyp(f"box: 0.1\n{text}\n"), KEYS, Record)
    assert replace(record, box=0.05) == (expected or Record())
    assert kinds(faults) == ([] if expected is not None else [("hyp-not-choice", 2)])


def test_another_name_of_a_key(hyp):
    assert to_record(hyp("giou: 3.54\n"), KEYS, Record, {"giou": "box"})[0].box == 3.54
    assert to_record(hyp("giou: 3.54\nbox: 0.1\n"), KEYS, Record, {"giou": "box"})[0].box == 0.1


def test_every_shipped_hyp_reads_clean_by_every_spelling():
    assert {"scratch-low", "scratch-high", "VOC", "yolov3-spp", "yolov8", "detr"} <= set(shipped.hyps())
    for name in shipped.hyps():
        assert read_hyp(name).faults == ()
        assert read_hyp(f"hyp.{name}.yaml") == read_hyp(name)


def test_an_installed_package_has_its_own_configs(tmp_path):
    (tmp_path / "detloss_cli" / "configs").mkdir(parents=True)
    assert shipped.folder(tmp_path / "detloss_cli") == tmp_path / "detloss_cli" / "configs"
    assert shipped.folder(tmp_path / "other" / "detloss_cli") == tmp_path / "other" / "configs"


def test_no_such_hyp(tmp_path, hyp):
    hyp("")
    for name, words in (("scratch-lo", "did you mean scratch-low"), (str(tmp_path / "hyp.yml"), r"hyp\.yaml"), ("zzz", "one of")):
        with pytest.raises(DetlossError, match=f"no such hyp.*{words}"):
            read_hyp(name)
    with pytest.raises(DetlossError, match="no such hyp"):
        read_hyp(str(tmp_path))
