"""Task alignment against a dense reference over all boxes and cells, and what must not change it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.centre_inside import BoxRules, candidate_cells, corners_px
from detloss_cli.targets.task_aligned import Predict, TaskAlignedRules, task_aligned

LEVELS = [Level("P3", 8, 8, 8), Level("P4", 16, 4, 4), Level("P5", 32, 2, 2)]
CELLS, CLASSES = 84, 3
DOUBLE = torch.float64


def maps(images: int, seed: int = 0, spread: float = 30.0) -> tuple[list[Tensor], list[Tensor]]:
    """Corners px (B, H, W, 4) around each centre and class logits (B, H, W, C), a level each."""
    source = torch.Generator().manual_seed(seed)
    boxes, logits = [], []
    for level in LEVELS:
        row, col = torch.meshgrid(torch.arange(level.rows), torch.arange(level.cols), indexing="ij")
        centre = torch.stack((col, row), -1).to(DOUBLE).add(0.5) * level.stride
        sides = torch.rand((images, level.rows, level.cols, 4), generator=source, dtype=DOUBLE) * spread
        boxes.append(torch.cat((centre - sides[..., :2], centre + sides[..., 2:]), -1))
        logits.append(torch.randn((images, level.rows, level.cols, CLASSES), generator=source, dtype=DOUBLE))
    return boxes, logits


def predict_of(boxes: list[Tensor], logits: list[Tensor]) -> Predict:
    def predict(index: int, image: Tensor, row: Tensor, col: Tensor, which: Tensor, cls: Tensor) -> tuple[Tensor, Tensor]:
        return boxes[index][image, row, col], logits[index][image, row, col][which, cls]

    return predict


def random_targets(count: int, images: int, seed: int = 0) -> Targets:
    source = torch.Generator().manual_seed(seed)
    boxes = torch.rand((count, 4), generator=source, dtype=DOUBLE)
    boxes[:, 2:] = boxes[:, 2:] ** 2 + 0.05
    image = torch.randint(images, (count,), generator=source).sort().values
    return Targets(image, torch.randint(CLASSES, (count,), generator=source), boxes, images)


def rows_of(assignment: Assignment) -> set[tuple[int, ...]]:
    columns = (assignment.image, assignment.level, assignment.row, assignment.col, assignment.gt)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def reference(
    targets: Targets, boxes: list[Tensor], logits: list[Tensor], topk: int, kept: int
) -> dict[tuple[int, int], tuple[int, float]]:
    """(image, cell) -> (box, score), one image, box and cell at a time; without ties."""
    corners = corners_px(targets, LEVELS, BoxRules()).tolist()
    found: dict[tuple[int, int], tuple[int, float]] = {}
    for image in range(targets.images):
        flat_boxes = torch.cat([b[image].reshape(-1, 4) for b in boxes]).tolist()
        flat_scores = torch.cat([x[image].reshape(-1, CLASSES) for x in logits]).sigmoid().tolist()
        points = [
            ((c + 0.5) * level.stride, (r + 0.5) * level.stride) for level in LEVELS for r in range(level.rows) for c in range(level.cols)
        ]
        mine = [gt for gt in range(len(corners)) if int(targets.image[gt]) == image]
        overlap = {(gt, k): 0.0 for gt in mine for k in range(CELLS)}
        metric = dict(overlap)
        for gt in mine:
            x1, y1, x2, y2 = corners[gt]
            for k, (x, y) in enumerate(points):
                if x1 < x < x2 and y1 < y < y2:
                    overlap[gt, k] = max(0.0, ciou(corners[gt], flat_boxes[k]))
                    metric[gt, k] = flat_scores[k][int(targets.cls[gt])] ** 0.5 * overlap[gt, k] ** 6
        best = {gt: [k for k in sorted(range(CELLS), key=lambda k: -metric[gt, k])[:topk] if metric[gt, k] > 0] for gt in mine}
        owners = {}
        for k in range(CELLS):
            claims = [gt for gt in mine if k in best[gt]]
            if len(claims) == 1:
                owners[k] = claims[0]
            elif claims:
                owners[k] = max(mine, key=lambda gt: overlap[gt, k])
        if kept != topk:
            for gt in mine:
                own = sorted((k for k in owners if owners[k] == gt), key=lambda k: -metric[gt, k])
                for k in own[kept:]:
                    del owners[k]
        for k, gt in owners.items():
            own = [j for j in owners if owners[j] == gt]
            most, top = max(metric[gt, j] for j in own), max(overlap[gt, j] for j in own)
            found[image, k] = (gt, metric[gt, k] * top / (most + 1e-9))
    return found


def ciou(a: list[float], b: list[float]) -> float:
    import math

    w1, h1, w2, h2 = a[2] - a[0], a[3] - a[1] + 1e-7, b[2] - b[0], b[3] - b[1] + 1e-7
    inter = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    iou = inter / (w1 * h1 + w2 * h2 - inter + 1e-7)
    c2 = (max(a[2], b[2]) - min(a[0], b[0])) ** 2 + (max(a[3], b[3]) - min(a[1], b[1])) ** 2 + 1e-7
    rho2 = ((a[0] + a[2] - b[0] - b[2]) ** 2 + (a[1] + a[3] - b[1] - b[3]) ** 2) / 4
    v = 4 / math.pi**2 * (math.atan(w2 / h2) - math.atan(w1 / h1)) ** 2
    return iou - (rho2 / c2 + v * v / (v - iou + 1 + 1e-7))


@pytest.mark.parametrize(("topk", "kept"), [(10, 10), (3, 3), (7, 1)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_the_reference(topk: int, kept: int, seed: int) -> None:
    targets, (boxes, logits) = random_targets(12, 2, seed), maps(2, seed)
    found = task_aligned(targets, LEVELS, predict_of(boxes, logits), TaskAlignedRules(topk, kept))
    starts = [0, 64, 80]
    got = {}
    for image, level, row, col, gt, score in zip(
        *(c.tolist() for c in (found.image, found.level, found.row, found.col, found.gt, found.extra["score"])), strict=True
    ):
        if score > 0:
            got[image, starts[level] + row * LEVELS[level].cols + col] = (gt, score)
    wanted = {slot: answer for slot, answer in reference(targets, boxes, logits, topk, kept).items() if answer[1] > 0}
    assert {slot: gt for slot, (gt, _) in got.items()} == {slot: gt for slot, (gt, _) in wanted.items()}
    assert len(wanted) > 5
    assert [got[slot][1] for slot in sorted(got)] == pytest.approx([wanted[slot][1] for slot in sorted(wanted)], rel=1e-9)


def test_the_order_of_the_labels_does_not_matter() -> None:
    targets, predict = random_targets(15, 3), predict_of(*maps(3))
    order = torch.randperm(15, generator=torch.Generator().manual_seed(5))
    shuffled = Targets(targets.image[order], targets.cls[order], targets.boxes[order], 3)
    one, other = task_aligned(targets, LEVELS, predict, TaskAlignedRules()), task_aligned(shuffled, LEVELS, predict, TaskAlignedRules())
    kept = one.extra["score"] > 0
    back = {(i, v, r, c, int(order[g])) for i, v, r, c, g in rows_of(other)}
    assert {row for row, keep in zip(_ordered(one), kept.tolist(), strict=True) if keep} <= back
    for name in ("best_metric", "best_overlap", "cells"):
        torch.testing.assert_close(one.of_targets[name][order], other.of_targets[name])


def _ordered(assignment: Assignment) -> list[tuple[int, ...]]:
    columns = (assignment.image, assignment.level, assignment.row, assignment.col, assignment.gt)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_one_image_at_a_time_gives_the_same() -> None:
    targets, (boxes, logits) = random_targets(14, 3, 4), maps(3, 4)
    together = rows_of(task_aligned(targets, LEVELS, predict_of(boxes, logits), TaskAlignedRules()))
    apart = set()
    for image in range(3):
        mine = torch.nonzero(targets.image == image).squeeze(1)
        alone = Targets(torch.zeros_like(mine), targets.cls[mine], targets.boxes[mine], 1)
        predict = predict_of([b[image : image + 1] for b in boxes], [x[image : image + 1] for x in logits])
        apart |= {(image, v, r, c, int(mine[g])) for _, v, r, c, g in rows_of(task_aligned(alone, LEVELS, predict, TaskAlignedRules()))}
    assert together == apart


def test_an_image_without_boxes_gets_nothing() -> None:
    targets = random_targets(5, 1)
    moved = Targets(targets.image + 1, targets.cls, targets.boxes, 3)
    found = task_aligned(moved, LEVELS, predict_of(*maps(3)), TaskAlignedRules())
    assert len(found) > 0
    assert found.image.unique().tolist() == [1]


def test_no_boxes() -> None:
    none = Targets(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 4), 2)
    found = task_aligned(none, LEVELS, predict_of(*maps(2)), TaskAlignedRules())
    assert len(found) == 0
    assert found.extra["score"].shape == found.of_targets["rival"].shape == (0,)


def test_rows_are_candidates_and_stand_in_order() -> None:
    targets = random_targets(12, 2)
    found = task_aligned(targets, LEVELS, predict_of(*maps(2)), TaskAlignedRules())
    corners = corners_px(targets, LEVELS, BoxRules())
    inside = {
        (index, *pair)
        for index, columns in enumerate(candidate_cells(corners, LEVELS, BoxRules()))
        for pair in zip(*(column.tolist() for column in columns), strict=True)
    }
    assert {(level, gt, row, col) for _, level, row, col, gt in rows_of(found)} <= inside
    assert _ordered(found) == sorted(_ordered(found))


def test_a_cell_that_nothing_overlaps_goes_to_the_first_box_of_its_image() -> None:
    """Two equal boxes, the second and third of an image, whose cells all have metric 0: the first box gets what they dispute."""
    boxes = torch.tensor([[0.1, 0.1, 0.05, 0.05], [0.75, 0.75, 0.4, 0.4], [0.75, 0.75, 0.4, 0.4]], dtype=DOUBLE)
    targets = Targets(torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.int64), boxes, 1)
    away = [torch.full((1, level.rows, level.cols, 4), -500.0, dtype=DOUBLE) for level in LEVELS]
    _, logits = maps(1)
    found = task_aligned(targets, LEVELS, predict_of(away, logits), TaskAlignedRules(topk=CELLS, kept=CELLS))
    assert found.gt.unique().tolist() == [0]
    assert len(found) == int(found.of_targets["picked"][1])
    assert found.extra["score"].tolist() == [0.0] * len(found)
    assert found.of_targets["rival"].tolist() == [-1, 0, 0]


def test_one_to_one_keeps_one_row_a_box() -> None:
    found = task_aligned(random_targets(10, 2), LEVELS, predict_of(*maps(2)), TaskAlignedRules(7, 1))
    assert found.gt.bincount().max() == 1
    torch.testing.assert_close(found.extra["score"], found.extra["overlap"] * found.extra["metric"] / (found.extra["metric"] + 1e-9))


def test_fewer_cells_than_topk_is_refused() -> None:
    small = [Level("P5", 32, 2, 2)]
    with pytest.raises(DetlossError, match="4 cells, fewer than the 10"):
        task_aligned(random_targets(1, 1), small, predict_of(*maps(1)), TaskAlignedRules())


def test_dtype_of_the_metric_is_that_of_the_predictions() -> None:
    targets = random_targets(6, 1)
    single = Targets(targets.image, targets.cls, targets.boxes.float(), 1)
    found = task_aligned(single, LEVELS, predict_of(*maps(1)), TaskAlignedRules())
    assert found.extra["score"].dtype == DOUBLE
