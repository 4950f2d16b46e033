"""A file is held against the head before anything of it is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.head_file import HeadFile, level_key, levels_of
from detloss_cli.predictions.refusal import LEVEL, SHAPE

HEAD = Head("tiny", (Level("P3", 8, 8, 8, ((1.0, 2.0),) * 3), Level("P4", 16, 4, 4, ((1.0, 2.0),) * 3)), 2, (64, 64))


def file(**changes: object) -> HeadFile:
    tensors = {"p3": torch.zeros(2, 3, 8, 8, 7), "p4": torch.zeros(2, 3, 4, 4, 7), "targets": torch.zeros(0, 6), **changes}
    return HeadFile("heads.npz", {name: tensor for name, tensor in tensors.items() if isinstance(tensor, torch.Tensor)})


def refused(file: HeadFile, rule: str) -> str:
    with pytest.raises(DetlossError) as caught:
        levels_of(file, HEAD, (3, 3), 7, 2)
    assert caught.value.rule == rule
    return str(caught.value)


def test_levels_by_name_or_in_order() -> None:
    named = file()
    assert levels_of(named, HEAD, (3, 3), 7, 2) == (named.tensors["p3"], named.tensors["p4"])
    ordered = HeadFile("heads.pt", {"0": named.tensors["p3"], "1": named.tensors["p4"]}, in_order=True)
    assert levels_of(ordered, HEAD, (3, 3), 7, 2) == (named.tensors["p3"], named.tensors["p4"])


def test_a_head_fed_coarse_first_still_reads_by_name() -> None:
    named = file()
    turned = replace(HEAD, levels=HEAD.levels[::-1])
    assert levels_of(named, turned, (3, 3), 7, 2) == (named.tensors["p4"], named.tensors["p3"])


def test_levels_missing_and_levels_too_many() -> None:
    assert "no p4" in refused(file(p4=None), LEVEL)
    assert "a level p5" in refused(file(p5=torch.zeros(1)), LEVEL)
    three = HeadFile("heads.pt", {str(i): torch.zeros(1) for i in range(3)}, in_order=True)
    assert "3 tensors" in refused(three, LEVEL)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((2, 3, 8, 8, 6), "-1 classes"),
        ((2, 3, 10, 12, 7), "--imgsz 80x96"),
        ((5, 3, 8, 8, 7), "5 images, the data has 2"),
        ((2, 1, 8, 8, 7), "1 anchors"),
        ((2, 21, 8, 8), "images, anchors, rows, cols, channels"),
    ],
)
def test_shapes_say_what_to_change(shape: tuple[int, ...], hint: str) -> None:
    assert hint in refused(file(p3=torch.zeros(shape)), SHAPE)


def test_integers_are_no_logits() -> None:
    assert "int64" in refused(file(p3=torch.zeros(2, 3, 8, 8, 7, dtype=torch.int64)), SHAPE)


def test_level_keys() -> None:
    assert [level_key(name) for name in ("P3", "P3 1:1", "P10")] == ["p3", "p3_1_1", "p10"]
