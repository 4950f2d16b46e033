"""Repeats are found by a hash and a sort; a plain loop says the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.inputs.duplicates import first_equal

ROW = st.tuples(st.integers(0, 2), st.integers(0, 1), st.sampled_from([0.0, -0.0, 0.25, 0.5]), st.sampled_from([0.25, 0.5]))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(ROW, max_size=12), st.booleans())
def test_equals_a_plain_loop(rows: list[tuple[int, int, float, float]], with_class: bool) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    image = np.array([row[0] for row in rows], dtype=np.int64)
    cls = np.array([row[1] for row in rows], dtype=np.int64)
    boxes = np.array([[row[2], row[3], row[2], row[3]] for row in rows], dtype=np.float32).reshape(-1, 4)
    keys = [(row[0], row[1] if with_class else 0, row[2], row[3]) for row in rows]
    assert first_equal(image, cls if with_class else None, boxes).tolist() == [keys.index(key) for key in keys]
