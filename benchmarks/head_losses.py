"""Assignments and losses of detloss beside those of ultralytics and YOLOX, on the same tensors, in the environment that has these two.

    python benchmarks/head_losses.py LABELS --rounds N [--images B] [--yolox FOLDER]

One JSON object a line: what was measured, the medians of both in seconds. The results are compared first: positives and the boxes that they
train integer by integer, the loss to 1e-5; a difference ends the command. detloss gets the raw maps of the head; an assigner of the others
gets boxes and scores that their loss has decoded before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import torch  # noqa: E402
from half_trained import BINS, CLASSES, STRIDES, Batch, outputs, read_batch  # noqa: E402
from in_turn import medians  # noqa: E402
from torch import Tensor  # noqa: E402
from ultralytics_step import without_torchvision  # noqa: E402

from detloss_cli.families import yolov8, yolox  # noqa: E402
from detloss_cli.inputs.head import Head, Level  # noqa: E402
from detloss_cli.predictions.interface import DensePredictions  # noqa: E402
from detloss_cli.targets.assignment import Assignment, Targets  # noqa: E402

SIDE = 640
MOST = 1e-5


class Pair:
    """What is measured and both ways to do it, the loss as a number and the positives as (P, 3): image, cell over all levels, box."""

    def __init__(self, what: str, peer: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
        self.what, self.peer, self.ours, self.theirs = what, peer, ours, theirs

    def compare(self) -> None:
        ours, theirs = self.ours(), self.theirs()
        if isinstance(ours, Assignment):
            return
        gap = abs(float(ours) / float(theirs) - 1)
        if gap > MOST:
            raise SystemExit(f"{self.what}: {float(ours)} here, {float(theirs)} there")


def same_rows(what: str, ours: Tensor, theirs: Tensor) -> None:
    if not torch.equal(ours, theirs):
        raise SystemExit(f"{what}: {len(ours)} positives here, {len(theirs)} there, or other ones")


def rows_of(head: Head, assignment: Assignment) -> Tensor:
    """(P, 3) image, cell over all levels, box, ordered by image and cell."""
    sizes = torch.tensor([level.rows * level.cols for level in head.levels])
    cols = torch.tensor([level.cols for level in head.levels])
    cell = (sizes.cumsum(0) - sizes)[assignment.level] + assignment.row * cols[assignment.level] + assignment.col
    return torch.stack((assignment.image, cell, assignment.gt), 1)


def head_of(batch: Batch, reg_max: int) -> Head:
    levels = tuple(Level(f"P{s.bit_length() - 1}", s, rows, cols) for s, rows, cols in batch.grids())
    return Head("measured", levels, CLASSES, (batch.side, batch.side), reg_max)


def task_aligned_pairs(batch: Batch) -> list[Pair]:
    """The assigner and the whole loss of ultralytics."""
    import ultralytics
    from ultralytics.utils.loss import v8DetectionLoss

    maps = outputs(batch, yolox=False)
    head, hyp, profile = head_of(batch, BINS), yolov8.Hyp(), "8.4.190"
    targets = Targets(batch.image, batch.cls, batch.boxes, batch.images)
    predictions = DensePredictions([one.permute(0, 2, 3, 1)[:, None] for one in maps])

    model = torch.nn.Linear(1, 1)
    model.args = SimpleNamespace(box=hyp.box, cls=hyp.cls, dfl=hyp.dfl)
    model.model = [SimpleNamespace(stride=torch.tensor(STRIDES).float(), nc=CLASSES, reg_max=BINS)]
    criterion = v8DetectionLoss(model)
    flat = torch.cat([one.flatten(2) for one in maps], 2)
    heads = {"boxes": flat[:, : 4 * BINS].contiguous(), "scores": flat[:, 4 * BINS :].contiguous(), "feats": maps}
    rows = {"batch_idx": batch.image.float(), "cls": batch.cls.float(), "bboxes": batch.boxes}
    given: list[Any] = []
    forward = criterion.assigner.forward

    def listening(*arguments: Any, **named: Any) -> Any:
        given[:] = [arguments, named]
        return forward(*arguments, **named)

    criterion.assigner.forward = listening
    criterion.loss(heads, rows)
    criterion.assigner.forward = forward
    _, _, _, fg, index = forward(*given[0], **given[1])
    image, cell = torch.nonzero(fg, as_tuple=True)
    first = torch.searchsorted(batch.image, torch.arange(batch.images))
    ours = rows_of(head, yolov8.assign(head, hyp, targets, predictions, profile=profile))
    same_rows("task alignment", ours, torch.stack((image, cell, index[image, cell] + first[image]), 1))

    def loss() -> Tensor:
        assignment = yolov8.assign(head, hyp, targets, predictions, profile=profile)
        return yolov8.loss(head, hyp, targets, predictions, assignment, profile=profile).total

    peer = f"ultralytics {ultralytics.__version__}"
    return [
        Pair(
            "task alignment",
            peer,
            lambda: yolov8.assign(head, hyp, targets, predictions, profile=profile),
            lambda: forward(*given[0], **given[1]),
        ),
        Pair("YOLOv8 loss", peer, loss, lambda: criterion.loss(heads, rows)[0].sum() / batch.images),
    ]


def sim_ota_pairs(batch: Batch) -> list[Pair]:
    """The assignment, image by image, and the whole loss of YOLOX."""
    import yolox as theirs
    from yolox.models.yolo_head import YOLOXHead

    profile, hyp, head = theirs.__version__, yolox.Hyp(), head_of(batch, 1)
    maps = outputs(batch, yolox=True)
    pixels = batch.boxes * batch.side
    targets = Targets(batch.image, batch.cls, pixels, batch.images, "cxcywh_px")
    predictions = DensePredictions([one.permute(0, 2, 3, 1)[:, None] for one in maps])

    module = YOLOXHead(CLASSES, width=0.125)
    counts = torch.bincount(batch.image, minlength=batch.images)
    within = torch.arange(len(batch.image)) - (counts.cumsum(0) - counts)[batch.image]
    labels = torch.zeros(batch.images, int(counts.max()), 5)
    labels[batch.image, within] = torch.cat((batch.cls[:, None].float(), pixels), 1)

    parts: list[tuple[Tensor, ...]] = []
    for index, (one, stride) in enumerate(zip(maps, STRIDES, strict=True)):
        answer, grid = module.get_output_and_grid(one.clone(), index, stride, one.type())  # it writes over what it is given
        parts.append((grid[:, :, 0], grid[:, :, 1], torch.full((1, grid.shape[1]), float(stride)), answer))
    x, y, strides, answers = (torch.cat(columns, 1) for columns in zip(*parts, strict=True))

    def their_loss() -> Tensor:
        return module.get_losses(None, [x], [y], [strides], labels, answers, [], torch.float32)[0]

    def their_assignment() -> list[Any]:
        found = []
        for image, count in enumerate(counts.tolist()):
            if count:
                gt, cls = labels[image, :count, 1:], labels[image, :count, 0]
                boxes, obj, scores = answers[..., :4], answers[..., 4:5], answers[..., 5:]
                given = (image, count, answers.shape[1], gt, cls, boxes[image], strides, x, y, scores, boxes, obj, labels, None)
                found.append((image, *module.get_assignments(*given)))
        return found

    starts = counts.cumsum(0) - counts
    rows = []
    for image, _, fg, _, gt, _ in their_assignment():
        cell = torch.nonzero(fg).squeeze(1)
        rows.append(torch.stack((torch.full_like(cell, image), cell, gt + starts[image]), 1))
    same_rows("SimOTA", rows_of(head, yolox.assign(head, hyp, targets, predictions, profile=profile)), torch.cat(rows))

    def loss() -> Tensor:
        assignment = yolox.assign(head, hyp, targets, predictions, profile=profile)
        return yolox.loss(head, hyp, targets, predictions, assignment, profile=profile).total

    peer = f"YOLOX {profile}"
    return [
        Pair("SimOTA", peer, lambda: yolox.assign(head, hyp, targets, predictions, profile=profile), their_assignment),
        Pair("YOLOX loss", peer, loss, their_loss),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--yolox", type=Path, help="unpacked source of YOLOX, measured if given")
    given = parser.parse_args()
    without_torchvision()
    batch = read_batch(given.labels, given.images, SIDE)
    pairs = task_aligned_pairs(batch)
    if given.yolox:
        sys.path.insert(0, str(given.yolox))
        pairs += sim_ota_pairs(batch)
    with torch.no_grad():
        for pair in pairs:
            pair.compare()
            ours, theirs = medians(pair.ours, pair.theirs, given.rounds)
            print(json.dumps({"what": pair.what, "peer": pair.peer, "ours": ours, "theirs": theirs}), flush=True)


if __name__ == "__main__":
    main()
