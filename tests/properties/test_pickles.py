"""Looking through a pickle quickly says what going through it by the opcode says, whatever the bytes."""

from __future__ import annotations

import pickle
import pickletools
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pickles import ANY, BROKEN, HOSTILE, IMPORTING, MODERN, label_cache, pickled, said

from detloss_cli.inputs import pickle_skim
from detloss_cli.inputs.foreign_cache import ARRAYS
from detloss_cli.inputs.pickle_skim import look_through
from detloss_cli.inputs.pickle_walk import MOST_STEPS, Pickled, TooLong, walk

FORMS = ["c", "python", "optimized"]
PROTOCOLS = range(6)
SIZE = 128 << 10
LARGE = 9 << 19
FRAME = b"\x95" + bytes(8)


def same(data: bytes) -> Pickled | type[Exception]:
    quick = said(look_through, data)
    assert quick == said(walk, data)
    assert said(partial(look_through, known=ARRAYS), data) == said(partial(walk, known=ARRAYS), data)
    return quick


def seconds(way: Callable[[bytes], Pickled], data: bytes) -> float:
    """Processor time, the least of three."""
    took = []
    for _ in range(3):
        start = time.process_time()
        said(way, data)
        took.append(time.process_time() - start)
    return min(took)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_label_caches(protocol: int, form: str) -> None:
    data = pickled(label_cache(300, 30), protocol, form)
    found = same(data)
    assert isinstance(found, Pickled)
    assert found.pictures == {f"{number:012d}.jpg" for number in range(300)}
    assert any(name.endswith("_reconstruct") for name in found.names)
    assert any(name.endswith("scalar") for name in found.names)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_cut(protocol: int) -> None:
    data = pickled(label_cache(2, 20), protocol, "c")
    assert all(same(data[:size]) is ValueError for size in range(len(data)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_changed_bytes(protocol: int) -> None:
    data, draw = pickled(label_cache(3, 20), protocol, "c"), random.Random(protocol)
    for at in draw.sample(range(len(data)), 200):
        for value in (data[at] ^ 1 << draw.randrange(8), draw.choice(b"\x93\x94\x8c0qhXBC.")):
            same(data[:at] + bytes([value]) + data[at + 1 :])


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=300)
    | st.sampled_from(["a.jpg", "x/b.PNG"])
)
TREES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=30,
)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(TREES, st.sampled_from(PROTOCOLS), st.sampled_from(FORMS))
def test_real_pickles(thing: object, protocol: int, form: str) -> None:
    assert isinstance(same(pickled([thing, thing, np_type(thing)], protocol, form)), Pickled)


def np_type(thing: object) -> object:
    """Something to import, from a module and a name that other strings may have brought."""
    return ["math", pickle.PickleError, type(thing), "pickle", ValueError]


@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    st.lists(IMPORTING, max_size=14) | st.lists(MODERN, max_size=40) | st.lists(ANY, max_size=8),
    st.sampled_from([b".", b".", b".", b"", b"\xff"]),
)
def test_any_opcodes(parts: list[bytes], end: bytes) -> None:
    same(b"".join(parts) + end)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(MODERN, max_size=60), st.integers(1, 3), st.integers(1, 5))
def test_short_runs_and_few_strings_at_a_time(parts: list[bytes], run: int, texts: int) -> None:
    before = pickle_skim.RUN, pickle_skim.TEXTS, pickle_skim.BYTES_A_STEP
    pickle_skim.RUN, pickle_skim.TEXTS, pickle_skim.BYTES_A_STEP = run, texts, 1
    try:
        same(b"".join(parts) + b".")
    finally:
        pickle_skim.RUN, pickle_skim.TEXTS, pickle_skim.BYTES_A_STEP = before


def test_an_entry_is_looked_up_as_it_was_then() -> None:
    early, late = same(b"h\0\x8c\5numpy\x94\x93."), same(b"\x8c\4mathq\0h\0\x8c\5numpyq\0\x93.")
    assert (early, late) == (Pickled({"stack_global opcode"}), Pickled({"math numpy"}))


@pytest.mark.parametrize("end", [b".", b"", b"\xff", b"\x8c\x09a"])
def test_a_broken_string_is_told_from_a_broken_pickle(end: bytes) -> None:
    for broken in BROKEN:
        assert same(b"\x80\x04\x8c" + bytes([len(broken)]) + broken + end) is UnicodeDecodeError
    assert same(b"\x80\x04\x8c\x01\xc3\x8c\x01\xa9" + end) is UnicodeDecodeError
    assert same(b"\x80\x04\x8c\x09a\x8c\x01\xc3" + end) in (ValueError, UnicodeDecodeError)


@pytest.mark.parametrize(
    ("tail", "name", "rewritten"),
    [
        (b"h\0h\1", "math factorial", "numpy dtype"),
        (b"h\0\x8c\x09factorial", "math factorial", "numpy factorial"),
        (b"h\0" + FRAME + b"h\1\x80\4", "math factorial", "numpy dtype"),
        (b"h\0\x88\x94" + FRAME + b"h\1", "stack_global opcode", "stack_global opcode"),
    ],
)
def test_an_import_late_in_a_cache_whose_words_came_early(tail: bytes, name: str, rewritten: str) -> None:
    body = pickled(("math", "factorial", label_cache(200)), 4, "c")[:-1]
    found = same(body + tail + b"\x93\x86.")
    assert isinstance(found, Pickled)
    assert found.names - ARRAYS == {name}
    found = same(body + b"\x8c\5numpyq\0\x8c\5dtyper\1\0\0\0" + tail + b"\x93\x86.")
    assert isinstance(found, Pickled)
    assert found.names - ARRAYS == {rewritten} - ARRAYS


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_label_cache_is_looked_through_in_a_fraction_of_the_time(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickled(label_cache(1500, 20), protocol, "c")
    plain = seconds(walk, data)
    monkeypatch.setattr(pickle_skim, "walk", lambda data: pytest.fail("gone through by the opcode"))
    assert seconds(look_through, data) < plain / 4


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_costs_most_costs_no_more_than_a_few_plain_ways(kind: str) -> None:
    piece = HOSTILE[kind]
    data = b"\x80\x04" + piece * (SIZE // len(piece)) + b"."
    same(data)
    assert seconds(look_through, data) < 5 * seconds(walk, data) + 0.05


LONG = {**HOSTILE, "nothing": b"N", "memo of nothing": b"N\x94", "imports of arrays": b"cnumpy\ndtype\n", "drops": b"N0"}


@pytest.mark.parametrize("size", [pickle_skim.PLAIN, LARGE])
@pytest.mark.parametrize("kind", LONG)
def test_what_costs_most_is_given_up(kind: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted instead of clocked: opcodes that are gone through alone."""
    inner, seen = pickletools.genops, 0

    def counted(data: object) -> Iterator[object]:
        nonlocal seen
        for found in inner(data):  # type: ignore[arg-type]
            seen += 1
            yield found

    monkeypatch.setattr(pickletools, "genops", counted)
    piece = LONG[kind]
    found = said(partial(look_through, known=ARRAYS), b"\x80\x04" + piece * ((size - 3) // len(piece)) + b".")
    assert isinstance(found, Pickled) or found is TooLong
    assert seen <= MOST_STEPS + pickle_skim.MOST_STEPS


def test_memory_is_bounded_too() -> None:
    hostile = (
        b"N" + b"\x94" * LARGE + b"j\xff\xff\xff\x7f" * 2 + b"\x93.",
        b"X" + LARGE.to_bytes(4, "little") + "\U0001f600".encode().ljust(LARGE, b"a"),
    )
    for data in hostile:
        tracemalloc.start()
        try:
            assert said(look_through, b"\x80\x04" + data) is TooLong
            assert tracemalloc.get_traced_memory()[1] < 64 << 20
        finally:
            tracemalloc.stop()


def test_nothing_is_looked_at_behind_what_settles_it() -> None:
    for settled in (b"cos\nsystem\n", b"N0", b"\x82\1", b"\x8c\2os\x8c\6system\x93"):
        for behind in (b"", b"\xff", b"\x8c\5c.jpg" + b"cio\nopen\n."):
            data = b"\x80\x04\x8c\5a.jpgcnumpy\ndtype\n" + settled + behind
            found = said(partial(look_through, known=ARRAYS), data)
            assert found == said(partial(walk, known=ARRAYS), data)
            assert isinstance(found, Pickled)
            assert (len(found.names), len(found.names - ARRAYS), found.pictures) == (2, 1, {"a.jpg"})
