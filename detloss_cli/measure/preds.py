"""Head outputs from files as the source of a run's predictions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.head import Channels, Head, Level
from detloss_cli.inputs.labels import Images
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.run import Job
from detloss_cli.predictions.file_head import FilePredictions
from detloss_cli.predictions.finite import NotFinite, not_finite
from detloss_cli.predictions.head_file import HeadFile, images_in, levels_of
from detloss_cli.predictions.open_file import open_heads
from detloss_cli.targets.assignment import Assignment

SUFFIXES = (".npz", ".pt", ".pth", ".safetensors")
MOST_CHANNELS = 5  # that a message names


@dataclass(frozen=True, slots=True)
class OpenedHeads:
    """Files of head outputs that fit a head and a data set, image after image.

    paths: one a file. levels: one tuple a file, one (images, A, H, W, C) a level. starts: first image of each file, and the end.
    """

    paths: tuple[str, ...]
    levels: tuple[tuple[Tensor, ...], ...]
    starts: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def __call__(self, batch: Batch, assignment: Assignment | None) -> FilePredictions:
        """The predictions of a batch, from the files that hold its images."""
        first, images = batch.first_image, batch.targets.images
        pieces = []
        for levels, start, end in zip(self.levels, self.starts, self.starts[1:], strict=False):
            low, high = max(first, start), min(first + images, end)
            if low < high:
                pieces.append([level[low - start : high - start] for level in levels])
        joined = pieces[0] if len(pieces) == 1 else [torch.cat(parts) for parts in zip(*pieces, strict=True)]
        return FilePredictions(joined, 0, images, dtype=self.dtype, device=self.device)


def find_files(path: str) -> tuple[str, ...]:
    """The file itself, or the files of head outputs in a folder, by name.

    Raises:
        DetlossError: a folder without any.
    """
    if not os.path.isdir(path):
        return (path,)
    found = sorted(entry.path for entry in os.scandir(path) if entry.name.endswith(SUFFIXES))
    if not found:
        raise DetlossError("no head outputs in this folder", where=path, hint=f"files that end in {', '.join(SUFFIXES)}")
    return tuple(found)


def fit(files: Sequence[HeadFile], head: Head, shapes: Sequence[torch.Size], images: int, device: torch.device) -> OpenedHeads:
    """Files held against a head.

    Args:
        shapes: (A, C) of each level. images: of the data set.

    Raises:
        DetlossError: a level is missing or has another shape.
    """
    anchors, channels = tuple(int(shape[0]) for shape in shapes), int(shapes[0][1])
    starts, levels = [0], []
    for file in files:
        count = images if len(files) == 1 else images_in(file)
        levels.append(levels_of(file, head, anchors, channels, count))
        starts.append(starts[-1] + count)
    if starts[-1] != images:
        raise DetlossError(
            f"{len(files)} files hold {starts[-1]} images, the data has {images}",
            where=os.path.dirname(files[0].path),
            hint="all of a split, in file order",
            rule="prediction-shape",
        )
    return OpenedHeads(tuple(file.path for file in files), tuple(levels), tuple(starts), torch.float32, device)


def open_files(path: str | None, most: int) -> tuple[HeadFile, ...]:
    """Every file that `--preds` names, opened; none without it. most: bytes of one that may be held in memory."""
    return tuple(open_heads(file, most) for file in find_files(path)) if path is not None else ()


def with_preds(files: Sequence[HeadFile], job: Job, images: Images, names: Sequence[str]) -> tuple[Job, list[Fault]]:
    """The job with the head outputs of some files, and what in them is not finite.

    Args:
        images: of the data set. names: of the classes.
    """
    shapes = [level.shape for level in job.family.prior(job.head, job.hyp, job.profile)]
    opened = fit(files, job.head, shapes, len(images), job.device)
    faults = not_finite_faults(opened, job.head, job.family.channels(job.head), images, names)
    return replace(job, preds=opened), list(faults)


def not_finite_faults(opened: OpenedHeads, head: Head, channels: Channels, images: Images, names: Sequence[str]) -> Iterator[Fault]:
    """One fault for each image of a level that is not finite. names: of the classes."""
    for path, levels, start in zip(opened.paths, opened.levels, opened.starts, strict=False):
        for bad in not_finite(levels):
            picture = os.path.basename(images.path[start + bad.image]) if start + bad.image < len(images) else ""
            half = levels[bad.level].dtype in (torch.float16, torch.bfloat16)
            yield not_finite_fault(path, head.levels[bad.level], bad, bad.image, picture, channels, names, half)


def not_finite_fault(
    path: str, level: Level, bad: NotFinite, image: int, picture: str, channels: Channels, names: Sequence[str], half: bool
) -> Fault:
    """What is not finite in one image of one level, in words."""
    kinds = [f"{count:,} {word}" for count, word in ((bad.nan, "NaN"), (bad.inf, "infinite")) if count]
    said = [channel_name(channel, channels, names) for channel in bad.channels[:MOST_CHANNELS]]
    more = f" and {len(bad.channels) - MOST_CHANNELS} more" if len(bad.channels) > MOST_CHANNELS else ""
    anchor, row, col, _ = bad.first
    whose = f"image {image} ({picture})" if picture else f"image {image}"
    token = (
        f"{level.name}: {' and '.join(kinds)} in {whose}, {', '.join(said)}{more}; the first at anchor {anchor}, row {row}, column {col}"
    )
    hint = (
        "float16 ends at 65504: keep the dump in float32 to see the logit"
        if half and bad.inf
        else "a loss of it is NaN as well: look at the step before"
    )
    return Fault("prediction-not-finite", path, None, None, token, hint)


def channel_name(channel: int, channels: Channels, names: Sequence[str]) -> str:
    """`channel 5 (class car)`."""
    if channel == channels.obj:
        return f"channel {channel} (objectness)"
    if channels.cls.start <= channel < channels.cls.stop:
        index = channel - channels.cls.start
        return f"channel {channel} (class {names[index] if index < len(names) else index})"
    return f"channel {channel} (box)"
