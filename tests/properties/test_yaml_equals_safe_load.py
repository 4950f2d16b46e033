"""On what detloss allows, its YAML is the trainers' YAML."""

import math

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.inputs.yaml_text import parse_yaml

PLAIN = "1e-3 no Yes 010 0x1F 0b11 12:30:45 1:2.5 2020-01-02 ~ null .nan .inf -.INF 1_000 1.5 +7 on 1e400 cat '1'"
WORDS = st.sampled_from([*PLAIN.split(), "2020-01-02 03:04:05 +01:00", "a b", '"2\\n"', "|\n  x", ""])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates()
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4), max_leaves=20)


def plain(node):
    if node is None:
        return None
    if node.kind == "sequence":
        return [plain(item) for item in node.items]
    if node.kind == "mapping":
        return {key.value: plain(value) for key, value in node.entries}
    return node.value


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return len(a) == len(b) and all(same(x, y) for pair in zip(a.items(), b.items(), strict=True) for x, y in [pair])
    if isinstance(a, tuple) and isinstance(b, tuple):
        return all(map(same, a, b))
    return type(a) is type(b) and a == b


@settings(max_examples=200, derandomize=True, deadline=None)
@given(TREES)
def test_dumped_trees_read_the_same(tree):
    class NoAlias(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

    text = yaml.dump(tree, Dumper=NoAlias)
    document = parse_yaml(text.encode(), "x.yaml")
    assert document.faults == ()
    assert same(plain(document.root), yaml.safe_load(text))


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), WORDS, max_size=6))
def test_plain_words_read_the_same(words):
    text = "".join(f"{key}: {word}\n" for key, word in words.items())
    document = parse_yaml(text.encode(), "x.yaml")
    assert document.faults == ()
    assert same(plain(document.root), yaml.safe_load(text))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet="ab:-[]{}&*!<>|?#\"'\\ \t\n\u2028%@`,0e", max_size=60).map(str.encode))
def test_bytes_never_raise_and_faults_lie_in_the_file(body):
    document = parse_yaml(body, "x.yaml")
    lines = body.count(b"\n") + 1
    assert all(f.line is None or 1 <= f.line <= lines for f in document.faults)
