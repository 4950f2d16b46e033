"""Columns summed batch by batch."""

from __future__ import annotations

import pytest
import torch

from detloss_cli.losses import stack


@pytest.mark.parametrize("counts", [[], [0], [3], [0, 5, 0, 0, 90, 1, 2, 0], [7] * 40], ids=str)
@pytest.mark.parametrize("most", [1, 10, 1000])
def test_how_much_is_made_at_once_changes_no_bit(counts, most, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "MOST_ROWS", most)
    number = torch.tensor(counts, dtype=torch.int64)
    values = torch.rand(sum(counts), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    made: list[int] = []
    got = stack.batch_sums(lambda rows: made.append(rows.stop - rows.start) or values[rows], number)
    wanted = torch.bincount(torch.repeat_interleave(torch.arange(len(counts)), number), weights=values, minlength=len(counts))
    assert torch.equal(got, wanted)
    assert max(made, default=0) <= max([most, *counts])
