"""Counts of a made set in the shape of COCO, a fiftieth of its size: by this package, by a computation written anew here, as recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detloss_cli.diagnose.anchors import inspect_anchors
from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.facts import Facts
from detloss_cli.resolve import Request

IMAGES, BOXES, SEED = 2366, 17_200, 20
ANCHORS = [(10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326)]
F = np.float32


def made() -> tuple[np.ndarray, np.ndarray]:
    """Image and box of each row: sides log-normal, 41 % small at 640 px, all inside their picture, six decimals."""
    rng = np.random.default_rng(SEED)
    image = np.sort(rng.integers(0, IMAGES, BOXES))
    area = np.exp(rng.normal(3.8, 1.25, BOXES)).clip(1.5, 620)
    aspect = np.exp(rng.normal(0, 0.45, BOXES))
    sides = np.stack((area * aspect, area / aspect), axis=1).clip(1, 639) / 640
    centre = sides / 2 + rng.random((BOXES, 2)) * (1 - sides)
    return image, np.round(np.concatenate((centre, sides), axis=1), 6)


def by_hand(image: np.ndarray, boxes: np.ndarray) -> dict[str, object]:
    """The rules of yolov5 7.0 box by box, in float32, with a set of slots."""
    matches, positives = [0] * 9, [0] * 3
    slots: set[tuple[int, int, int, int, int]] = set()
    rows_of, anchors_of = np.zeros(len(boxes), dtype=int), np.zeros(len(boxes), dtype=int)
    last: dict[tuple[int, int, int, int, int], tuple[int, int, int]] = {}
    for level, (stride, cells) in enumerate(((8, 80), (16, 40), (32, 20))):
        x, y, w, h = (boxes[:, k].astype(F) * F(cells) for k in range(4))
        for anchor in range(3):
            aw, ah = (F(side) / F(stride) for side in ANCHORS[3 * level + anchor])
            worst = np.maximum.reduce([w / aw, F(1) / (w / aw), h / ah, F(1) / (h / ah)])
            for box in np.flatnonzero(worst < 4).tolist():
                gx, gy = x[box], y[box]
                taken = [(0, gx, gy)]
                taken += [(1, gx - F(0.5), gy)] * bool(gx % 1 < 0.5 and gx > 1)
                taken += [(2, gx, gy - F(0.5))] * bool(gy % 1 < 0.5 and gy > 1)
                taken += [(3, gx + F(0.5), gy)] * bool((cells - gx) % 1 < 0.5 and cells - gx > 1)
                taken += [(4, gx, gy + F(0.5))] * bool((cells - gy) % 1 < 0.5 and cells - gy > 1)
                matches[3 * level + anchor] += 1
                anchors_of[box] += 1
                rows_of[box] += len(taken)
                positives[level] += len(taken)
                for block, cx, cy in taken:
                    slot = (level, int(image[box]), anchor, min(int(cy), cells - 1), min(int(cx), cells - 1))
                    slots.add(slot)
                    last[slot] = max(last.get(slot, (-1, -1, -1)), (block, anchor, box))  # rows stand block by block, then anchor-major
    winners = {box for _, _, box in last.values()}
    return {
        "positives": positives,
        "matches": matches,
        "unassigned": int((rows_of == 0).sum()),
        "slots": len(slots),
        "without_slot": sum(1 for box in np.flatnonzero(rows_of).tolist() if box not in winners),
        "recall": float((anchors_of > 0).mean()),
        "anchors": float(anchors_of.mean()),
    }


RECORDED: dict[str, object] = {
    "positives": [70687, 80829, 54064],
    "matches": [6230, 8118, 9217, 8995, 9767, 8185, 8235, 6256, 3533],
    "unassigned": 642,
    "slots": 204398,
    "without_slot": 3,
    "recall": 0.9626744186046512,
    "anchors": 3.9846511627906978,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image, boxes = made()
    root = tmp_path_factory.mktemp("made") / "labels"
    root.mkdir()
    for index in range(IMAGES):
        rows = "".join("0 {:.6f} {:.6f} {:.6f} {:.6f}\n".format(*box) for box in boxes[image == index].tolist())
        (root / f"{index:06}.txt").write_text(rows)
    return root


def figures(facts: Facts) -> dict[str, object]:
    levels, assignment = facts.levels, facts.assignment
    assert levels is not None
    assert assignment is not None
    return {
        "positives": [level.positives for level in levels],
        "matches": [number for level in levels for number in level.matches_per_anchor],
        "unassigned": assignment.unassigned,
        "recall": assignment.best_possible_recall,
        "anchors": assignment.anchors_per_target,
    }


def test_by_hand_as_recorded() -> None:
    assert by_hand(*made()) == RECORDED


def test_inspect_anchors(folder: Path) -> None:
    facts, _ = inspect_anchors(Request("inspect anchors", (str(folder),), names="1"))
    assert figures(facts) == {key: RECORDED[key] for key in figures(facts)}


def test_inspect_targets(folder: Path) -> None:
    facts, _ = inspect_targets(Request("inspect targets", (str(folder),), names="1"))
    assert figures(facts) == {key: RECORDED[key] for key in figures(facts)}
    assignment = facts.assignment
    assert assignment is not None
    assert assignment.positives - assignment.collision_rows == RECORDED["slots"]
    assert assignment.boxes_without_slot == RECORDED["without_slot"]
    assert sum(assignment.by_reason.values()) == assignment.unassigned
