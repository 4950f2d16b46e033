"""Dynamic k on small tables that can be followed by hand."""

from __future__ import annotations

import torch

from detloss_cli.targets.dynamic_k import dynamic_k


def test_takes_as_many_as_the_overlaps_add_up_to() -> None:
    overlap = torch.tensor([[0.9, 0.9, 0.9, 0.2], [0.1, 0.0, 0.0, 0.3]])
    cost = torch.tensor([[3.0, 1.0, 2.0, 9.0], [5.0, 6.0, 7.0, 4.0]])
    match = dynamic_k(cost, overlap)
    assert match.wanted.tolist() == [2, 1]  # 2.9 and 0.4
    assert match.gt.tolist() == [-1, 0, 0, 1]
    assert match.best.tolist() == [1, 3]


def test_only_the_top_overlaps_count() -> None:
    overlap = torch.full((1, 6), 0.8)
    assert dynamic_k(torch.arange(6.0)[None], overlap, top=2).wanted.tolist() == [1]
    assert dynamic_k(torch.arange(6.0)[None], overlap, top=5).wanted.tolist() == [4]


def test_a_shared_candidate_goes_to_the_lowest_cost_of_all_boxes() -> None:
    """Box 2 did not take candidate 0 (k = 1, candidate 1 is cheaper for it), yet its cost there is the lowest, and so it gets it."""
    cost = torch.tensor([[5.0, 9.0], [6.0, 9.0], [4.0, 3.0]])
    match = dynamic_k(cost, torch.zeros(3, 2))
    assert match.gt.tolist() == [2, 2]


def test_a_box_may_end_with_nothing() -> None:
    match = dynamic_k(torch.tensor([[1.0, 8.0], [2.0, 9.0]]), torch.zeros(2, 2))
    assert match.gt.tolist() == [0, -1]
    assert match.best.tolist() == [0, 0]


def test_no_boxes_and_no_candidates() -> None:
    assert dynamic_k(torch.zeros(0, 3), torch.zeros(0, 3)).gt.tolist() == [-1, -1, -1]
    empty = dynamic_k(torch.zeros(2, 0), torch.zeros(2, 0))
    assert empty.gt.tolist() == []
    assert empty.best.tolist() == [-1, -1]
