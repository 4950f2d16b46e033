import datetime
import os
import time

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.yaml_loader import MAX_FAULTS_OF_A_KIND
from detloss_cli.inputs.yaml_node import surprise
from detloss_cli.inputs.yaml_text import parse_yaml, read_yaml


def places(document):
    return [(f.kind, f.line, f.column) for f in document.faults]


def entries(text):
    document = parse_yaml(text.encode(), "x.yaml")
    assert document.faults == ()
    return {key: value for key, _, value in document.root.keyed()}


def test_every_key_and_value_has_its_place():
    document = parse_yaml(b"a: 1\nb:\n  c: [x, y]\n", "x.yaml")
    (_, a_key, _), (_, _, b) = document.root.keyed()
    assert (a_key.line, a_key.column) == (1, 1)
    c_key, c = b.entries[0]
    assert (c_key.line, c_key.column) == (3, 3)
    assert [(n.line, n.column, n.text) for n in c.items] == [(3, 7, "x"), (3, 10, "y")]


def test_lines_are_counted_by_lf_alone():
    document = parse_yaml('a: "x\u2028y\x85z"\r\nb: *q\r\n'.encode(), "x.yaml")
    assert places(document) == [("yaml-alias", 2, 4)]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("1e-3", "1e-3", "number as text"),
        ("1e3", "1e3", "number as text"),
        ("1.0e-3", 0.001, None),
        ("'1e-3'", "1e-3", None),
        ("no", False, "boolean"),
        ("ON", True, "boolean"),
        ("true", True, None),
        ("010", 8, "octal"),
        ("0", 0, None),
        ("12:30:45", 45045, "sexagesimal"),
        ("2020-01-02", datetime.date(2020, 1, 2), "date"),
        ("1_000", 1000, "underscore"),
        ("cat", "cat", None),
        ("", None, None),
    ],
)
def test_words_mean_what_yaml_1_1_says(text, value, kind):
    node = entries(f"a: {text}\n")["a"]
    assert node.value == value
    assert type(node.value) is type(value)
    assert surprise(node) == kind


def test_all_faults_of_a_document_come_at_once():
    text = b"a: 1\na: 2\nb: !!python/object/apply:os.system ['touch x']\nc: &k {d: 1}\ne: *k\nf:\n  <<: {z: 1}\n  y: 2\n"
    document = parse_yaml(text, "x.yaml")
    assert places(document) == [("yaml-duplicate-key", 2, 1), ("yaml-tag", 3, 4), ("yaml-alias", 5, 4), ("yaml-merge", 7, 3)]
    values = {key: value for key, _, value in document.root.keyed()}
    assert values["a"].value == 2
    assert values["b"].refused
    assert values["e"].refused
    assert [key for key, _, _ in values["f"].keyed()] == ["y"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a:\n\t0: x\n", ("yaml-syntax", 2, 1)),
        (b"a: [1, 2\n", ("yaml-syntax", 2, 1)),
        (b"a: 1\nb: \x00\n", ("yaml-syntax", 2, 4)),
        (b"a: 1\nb: \xff\n", ("yaml-encoding", 2, 4)),
        ("a: 1\n".encode("utf-16"), ("yaml-encoding", 1, 1)),
        (b"a: 1\n--- \nb: 2\n", ("yaml-syntax", 2, 1)),
        (b"a: 2020-13-45\n", ("yaml-syntax", 1, 4)),
        (b"? [1, 2]\n: x\n", ("yaml-syntax", 1, 3)),
    ],
)
def test_a_document_that_is_no_yaml_says_where(body, expected):
    assert places(parse_yaml(body, "x.yaml")) == [expected]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{" * 100_000, b"- " * 100_000, b"? " * 50_000, b"a: " + b"[" * 9_999 + b"]" * 9_999])
def test_deep_nesting_is_refused_at_once(body):
    started = time.monotonic()
    assert [f.kind for f in parse_yaml(body, "x.yaml").faults] == ["yaml-too-deep"]
    assert time.monotonic() - started < 2


def test_the_deepest_that_is_allowed():
    flow = parse_yaml(b"[" * DEFAULT.yaml_depth + b"]" * DEFAULT.yaml_depth, "x.yaml")
    assert flow.faults == ()
    assert [f.kind for f in parse_yaml(b"[" * (DEFAULT.yaml_depth + 1) + b"]" * (DEFAULT.yaml_depth + 1), "x.yaml").faults] == [
        "yaml-too-deep"
    ]


def test_a_flood_of_one_fault_is_counted_not_listed():
    document = parse_yaml(b"a:\n" + b"- *x\n" * 500, "x.yaml")
    assert len(document.faults) == MAX_FAULTS_OF_A_KIND + 1
    assert document.faults[-1].detail == "and 400 more"


def test_empty_is_no_fault_here():
    for body in (b"", b"\n", b"# only a comment\n", b"\xef\xbb\xbf"):
        document = parse_yaml(body, "x.yaml")
        assert (document.root, document.faults) == (None, ())


def test_a_byte_order_mark_is_read_over():
    assert parse_yaml(b"\xef\xbb\xbfa: 1\n", "x.yaml").root.entries[0][0].text == "a"


def test_a_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a" * (DEFAULT.yaml_bytes + 1))
    assert [f.kind for f in read_yaml(str(path)).faults] == ["yaml-too-large"]
    path.write_bytes(b"#" * DEFAULT.yaml_bytes)
    assert read_yaml(str(path)).faults == ()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: None])
def test_what_is_no_file_is_one_clear_error(tmp_path, make):
    path = str(tmp_path / "x.yaml")
    make(path)
    with pytest.raises(DetlossError, match="cannot be read") as caught:
        read_yaml(path)
    assert caught.value.where == path


def test_aliases_of_one_line_are_one_fault():
    assert places(parse_yaml(b"a: [*x, *y]\nb: *z\n", "x.yaml")) == [("yaml-alias", 1, 5), ("yaml-alias", 2, 4)]


def test_the_same_text_is_parsed_once():
    """What scans ahead, what chooses the splits and what reads them ask for the same data.yaml."""
    body = b"names: [a]\ntrain: images\n"
    assert parse_yaml(body, "data.yaml") is parse_yaml(bytes(bytearray(body)), "data.yaml")
    assert parse_yaml(body, "data.yaml") is not parse_yaml(body, "other.yaml")
    assert parse_yaml(b"a: [[[1]]]", "x.yaml", 2).faults != parse_yaml(b"a: [[[1]]]", "x.yaml", 9).faults
