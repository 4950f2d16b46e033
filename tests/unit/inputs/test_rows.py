"""The fast path equals the exact path on everything it keeps, and keeps nothing that the exact path finds fault with."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.row_text import read_text
from detloss_cli.inputs.rows import read_rows

NUMBERS = st.one_of(
    st.floats(0, 1).map(repr),
    st.floats(0, 1).map("{:.6f}".format),
    st.tuples(st.floats(0, 1), st.integers(1, 20)).map(lambda pair: f"{pair[0]:.{pair[1]}f}"),
    st.sampled_from(
        ["0", "1", ".5", "1.", "0.5", "1.5", "-0.1", "1e-3", ".", "..5", "0..5", "nan", "x", "0.5.5", "00.50", "1,5", "", "0.5\r"]
    ),
)
ROWS = st.lists(NUMBERS, min_size=0, max_size=7).map(" ".join)
GOOD = st.tuples(st.integers(0, 3), *[st.integers(1, 999_999)] * 4).map(lambda r: f"{r[0]} " + " ".join(f"{v / 1e6:.6f}" for v in r[1:]))
VARIED = st.tuples(st.integers(0, 3), st.integers(1, 18), *[st.floats(0.01, 1)] * 4).map(
    lambda r: f"{r[0]} " + " ".join(f"{v:.{r[1] + n}f}" for n, v in enumerate(r[2:]))
)
FILES = st.lists(st.one_of(GOOD, GOOD, VARIED, ROWS), max_size=6).map("\n".join).map(str.encode)
BYTES = st.binary(max_size=60)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.one_of(FILES, BYTES), max_size=6))
def test_fast_path_is_the_exact_path(contents: list[bytes]) -> None:
    clean = read_rows(contents, 3, DEFAULT)
    for file, data in enumerate(contents):
        reading = read_text("a.txt", data, 3, DEFAULT)
        mine = clean.file == file
        if file in clean.dirty:
            assert not mine.any()
            continue
        assert not reading.faults
        boxes = [row for row in reading.rows if row.form == "box"]
        assert clean.line[mine].tolist() == [row.line for row in boxes]
        assert clean.cls[mine].tolist() == [row.cls for row in boxes]
        assert clean.boxes[mine].tobytes() == np.array([row.values for row in boxes], dtype=np.float32).reshape(-1, 4).tobytes()


def test_plain_files_never_need_the_exact_path() -> None:
    good = [b"", b"0 0.5 0.5 0.2 0.2", b"1 .5 1 1. 0.1\r\n0\t0.5  0.5 0.2 0.2 \r\n\n\n", b"2 0.123456789012345678 0.5 0.2 0.2\n"]
    clean = read_rows(good, 3, DEFAULT)
    assert clean.dirty == ()
    assert clean.file.tolist() == [1, 2, 2, 3]
    assert clean.line.tolist() == [1, 1, 2, 1]


def test_a_bad_file_leaves_its_neighbours_alone() -> None:
    row = b"1 0.25 0.5 0.2 0.1\n"
    for bad in (b"x", b"0 0.5 0.5 0.2", b"0 0.5 0.5 0.2 0.2 0.2\n0 0.5 0.5 0.2", b"0 0.5 0.5 0.2 1.2", b"\n\n", b"0..5 1 1 1 1", b"\r"):
        clean = read_rows([row, bad, row], 3, DEFAULT)
        assert clean.dirty == (1,), bad
        assert clean.file.tolist() == [0, 2]
        assert clean.boxes.tolist() == np.array([[0.25, 0.5, 0.2, 0.1]] * 2, dtype=np.float32).tolist()


def test_too_many_rows_go_to_the_exact_path_and_stop_there() -> None:
    data = b"0 0.5 0.5 0.2 0.2\n" * 11
    assert read_rows([data], 1, Limits(rows=10)).dirty == (0,)
    reading = read_text("a.txt", data, 1, Limits(rows=10))
    assert [fault.kind for fault in reading.faults] == ["too-many-rows"]
    assert len(reading.written) == 10
    assert not read_text("a.txt", data, 1, Limits(rows=11)).faults


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.one_of(st.none(), st.integers(0, 5)))
def test_any_bytes_end_in_a_reading(data: bytes, num_classes: int | None) -> None:
    reading = read_text("a.txt", data, num_classes, DEFAULT)
    last = data.count(b"\n") + 1
    assert all(fault.line is None or 1 <= fault.line <= last for fault in reading.faults)
    assert all(len(fault.token) <= 80 for fault in reading.faults)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(GOOD, min_size=1, max_size=5), ROWS, st.data())
def test_a_bad_row_changes_only_its_own_findings(good: list[str], bad: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(good)))
    before = read_text("a.txt", "\n".join(good).encode(), 3, DEFAULT)
    after = read_text("a.txt", "\n".join([*good[:at], bad, *good[at:]]).encode(), 3, DEFAULT)
    kept = [fault for fault in after.faults if fault.line != at + 1 and fault.kind != "mixed-rows"]
    moved = [(fault.kind, (fault.line or 0) + ((fault.line or 0) > at)) for fault in before.faults]
    assert [(fault.kind, fault.line) for fault in kept] == moved
