"""How much is read: the words of `--limit`, and each limit where it holds, with the option that raises it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from detloss_cli.checks.judge import judge
from detloss_cli.checks.label_files import RULES as FILE_RULES
from detloss_cli.errors import DetlossError
from detloss_cli.inputs.config import read_config
from detloss_cli.inputs.data_names import from_option
from detloss_cli.inputs.hyp_yaml import read_hyp
from detloss_cli.inputs.limits import DEFAULT, MOST, UNREAD_KINDS, Limits, listed, parse_limits, raised
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.inputs.yaml_text import parse_yaml
from detloss_cli.predictions.npz import read_npz

NAMES = [*asdict(DEFAULT)]


def test_names_are_those_of_the_fields_and_what_is_listed_reads_as_it_was() -> None:
    given = Limits(rows=5, label_bytes=3 << 30, line_bytes=1001)
    assert listed(given)["label-bytes"] == "3GiB"
    assert [*listed(given)] == [name.replace("_", "-") for name in NAMES]
    assert parse_limits(f"{name}={value}" for name, value in listed(given).items()) == given


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("label-bytes=64MiB", "label_bytes", 64 << 20),
        ("label_bytes=64m", "label_bytes", 64 << 20),
        ("label-bytes = 2 GB", "label_bytes", 2 << 30),
        ("line-bytes=100", "line_bytes", 100),
        ("line-bytes=100B", "line_bytes", 100),
        ("rows=7", "rows", 7),
        ("yaml-depth=256", "yaml_depth", 256),
    ],
)
def test_words(text: str, name: str, value: int) -> None:
    assert asdict(parse_limits([text])) == {**asdict(DEFAULT), name: value}


def test_several_words_and_the_last_of_two() -> None:
    found = parse_limits(["rows=1,names=2", "rows=3"], Limits(files=9))
    assert (found.rows, found.names, found.files) == (3, 2, 9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("row=5", "no limit is called 'row'.*did you mean rows"),
        ("zzzzzzz=5", "there are label-bytes=16MiB, line-bytes=64KiB, .*, run-bytes=1GiB"),
        ("rows", "'' is no limit.*--limit rows=100000"),
        ("rows=5MiB", "'5MiB' is no limit"),
        ("rows=-5", "'-5' is no limit"),
        ("rows=1e3", "'1e3' is no limit"),
        ("rows=٣", "is no limit"),
        ("label-bytes=5parsecs", "'5parsecs' is no limit.*--limit label-bytes=64MiB"),
        ("rows=0", "0 is out of range.*from 1 to"),
        ("yaml-depth=257", "from 1 to 256"),
        ("label-bytes=9999999TiB", "from 1 to 1024TiB"),
    ],
)
def test_a_word_that_is_none(text: str, said: str) -> None:
    with pytest.raises(DetlossError, match=said):
        parse_limits([text])


@pytest.mark.parametrize("name", NAMES)
def test_what_an_option_raises_lets_it_through(name: str) -> None:
    for needed in (1, 1000, 16 << 20, (16 << 20) + 1):
        value = getattr(parse_limits([raised(name, needed).removeprefix("--limit ")]), name)
        assert value >= min(needed, MOST.get(name, needed))


def test_deepest_yaml_that_can_be_asked_for_can_be_read() -> None:
    most = MOST["yaml_depth"]
    for body in (b"[" * most + b"]" * most, b"".join(b" " * n + b"a:\n" for n in range(most - 1))):
        assert not parse_yaml(body, "x.yaml", most).faults
    assert [fault.kind for fault in parse_yaml(b"[" * 5 + b"]" * 5, "x.yaml", 4).faults] == ["yaml-too-deep"]


@pytest.mark.parametrize("read", [read_hyp, lambda path, limits: read_model_file(path, limits)], ids=["hyp", "model"])
def test_yaml_of_more_bytes(read: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("box: 0.05\n" + "# long\n" * 20)
    for limits, kinds in ((Limits(yaml_bytes=100), ["yaml-too-large"]), (Limits(yaml_bytes=1000), [])):
        faults = read(str(path), limits=limits).faults  # type: ignore[attr-defined]
        assert [fault.kind for fault in faults if fault.kind.startswith("yaml")] == kinds
        if kinds:
            assert [found.hint for found in judge(faults)] == [
                "names of that many classes belong into --names FILE, or --limit yaml-bytes=256"
            ]


def test_more_names_than_are_read() -> None:
    with pytest.raises(DetlossError, match=r"1 to 10, or --limit names=11"):
        from_option("11", 10)
    assert from_option("11", 11).num_classes == 11


def test_head_outputs_that_take_more_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, p3=np.zeros(1000, dtype=np.float32))
    with pytest.raises(DetlossError, match=r"4,000 bytes in memory, the limit is 3,999.*--limit preds-bytes=4KiB"):
        read_npz(str(path), 3999)
    assert len(read_npz(str(path), 4000).tensors["p3"]) == 1000
    assert zipfile.is_zipfile(path)


def test_every_limit_that_leaves_something_unread_names_its_option() -> None:
    from detloss_cli.checks.registry import BY_NAME
    from detloss_cli.inputs.fault import Fault

    assert {rule.name for rule in FILE_RULES} & UNREAD_KINDS
    for kind in UNREAD_KINDS:
        assert kind in BY_NAME
        (found,) = judge([Fault(kind, "a.txt", None, None, "", "70000")])
        assert "--limit " in str(found.hint)
        assert "70,000" in found.message


@pytest.mark.parametrize(
    "text", ["limit: {rows: 5, label-bytes: 1MiB}", "limit: [rows=5, label-bytes=1MiB]", "limit: rows=5,label-bytes=1MiB"]
)
def test_in_a_configuration(text: str, tmp_path: Path) -> None:
    path = tmp_path / "detloss.yaml"
    path.write_text(text)
    found = parse_limits(read_config(str(path)).options["limit"])
    assert (found.rows, found.label_bytes) == (5, 1 << 20)


def test_a_mistake_in_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "detloss.yaml"
    path.write_text("limit: {row: 5}")
    with pytest.raises(DetlossError, match="limit: no limit is called 'row', did you mean rows"):
        read_config(str(path))
