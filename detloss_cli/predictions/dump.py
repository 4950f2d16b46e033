"""The dump format `detloss/1`: what a trainer handed to its loss at one step, and what it answered. docs/dump-format.md has it whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import BaseModel, Field, ValidationError
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.head_file import HeadFile
from detloss_cli.predictions.refusal import DUMP, SHAPE, refusal

FORMAT = "detloss/1"
Side = Annotated[int, Field(gt=0, le=1 << 15)]


class LevelSaid(BaseModel):
    """One level. key: of its tensor. anchors: (w, h) in pixels of the network input, none if anchor-free."""

    key: str
    name: str
    stride: Side
    anchors: list[tuple[float, float]] = []


class LossSaid(BaseModel):
    """What the trainer's loss answered. returned: the value for backward, in its parts. items: what is printed. times_batch: returned is
    multiplied by the number of images."""

    returned: list[float]
    items: list[float] = []
    names: list[str] = []
    times_batch: bool = True


class About(BaseModel):
    """The description in a dump. hyp: as the loss had it, gains scaled by the trainer. balance: objectness weights before the call."""

    family: str
    profile: str | None = None
    imgsz: tuple[Side, Side]
    images: Annotated[int, Field(gt=0, le=1 << 20)]
    num_classes: Annotated[int, Field(gt=0, le=100_000)]
    reg_max: Annotated[int, Field(ge=0, le=1024)] = 0
    end2end: bool = False
    levels: Annotated[list[LevelSaid], Field(min_length=1, max_length=64)]
    hyp: dict[str, Any] = {}
    balance: list[float] | None = None
    loss: LossSaid | None = None
    paths: list[str] | None = None
    paths_are: str = "picture"
    strides_from: str = "loss"
    step: int = 0
    epoch: int | None = None
    rank: int = 0
    trigger: str = "every"
    versions: dict[str, str | None] = {}


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump, checked. levels: one (B, A, H, W, C) a level, mapped. targets: (N, 6) float32 or
    float64, image, class, cx, cy, w, h in 0..1."""

    path: str
    about: About
    head: Head
    levels: tuple[Tensor, ...]
    targets: Tensor

    @property
    def half(self) -> bool:
        """True if the logits are stored with 16 bits."""
        return any(level.dtype in (torch.float16, torch.bfloat16) for level in self.levels)


def read_dump(file: HeadFile) -> Dump:
    """The dump in a file, its description held against its tensors.

    Raises:
        DetlossError: another version, a damaged description, a level that is missing or has another shape, targets out of range.
    """
    if file.metadata["format"] != FORMAT:
        raise refusal(
            DUMP,
            file.path,
            f"is of format {file.metadata['format'][:20]}, this detloss reads {FORMAT}",
            "use the detloss that goes with the tap",
        )
    try:
        about = About.model_validate(json.loads(file.metadata.get("about", "")))
    except (ValidationError, ValueError, RecursionError) as error:
        raise refusal(DUMP, file.path, f"its description is damaged: {_first(error)}", "write it again with detloss_tap.tap") from error
    levels, grids = [], []
    for said in about.levels:
        tensor = _level(file, said.key)
        expected = (about.images, max(1, len(said.anchors)))
        if tensor.ndim != 5 or tuple(tensor.shape[:2]) != expected or not tensor.is_floating_point():
            size = "x".join(map(str, tensor.shape))
            raise refusal(SHAPE, file.path, f"{said.key} is {size}, expected {expected[0]}x{expected[1]}xHxWxC floats", "write it again")
        levels.append(tensor)
        grids.append(Level(said.name, said.stride, int(tensor.shape[2]), int(tensor.shape[3]), tuple(said.anchors)))
    head = Head("dump", tuple(grids), about.num_classes, about.imgsz, about.reg_max, about.end2end)
    return Dump(file.path, about, head, tuple(levels), _targets(file, about))


def _level(file: HeadFile, key: str) -> Tensor:
    if key not in file.tensors or key == "targets":
        raise refusal(
            "prediction-level-missing", file.path, f"has no {key}, which its description names", "write it again with detloss_tap.tap"
        )
    return file.tensors[key]


def _targets(file: HeadFile, about: About) -> Tensor:
    """Targets with every index in range, so that no class or image can point outside later.

    A negative class counts from the end and one class takes any id, as the trainers have it.
    """
    rows = file.tensors.get("targets")
    if rows is None or rows.ndim != 2 or rows.shape[1] != 6 or not rows.is_floating_point():
        raise _bad_targets(file, "no targets of 6 columns")
    rows = rows if rows.dtype == torch.float64 else rows.float()
    if not bool(torch.isfinite(rows).all()):
        raise _bad_targets(file, f"target {int((~torch.isfinite(rows)).any(dim=1).nonzero()[0])} is not finite")
    ranges = [(0, "image", 0, about.images)]
    if about.num_classes > 1:
        ranges.append((1, "class", -about.num_classes, about.num_classes))
    for column, name, start, end in ranges:
        bad = (rows[:, column] < start) | (rows[:, column] >= end)
        if bool(bad.any()):
            first = int(bad.nonzero()[0])
            raise _bad_targets(file, f"target {first} is of {name} {rows[first, column]:g}, there are {end}")
    return rows


def _bad_targets(file: HeadFile, what: str) -> DetlossError:
    return refusal(DUMP, file.path, f"holds {what}", "the trainer would stop at it too: look at its labels with inspect labels")


def _first(error: Exception) -> str:
    """The first thing that does not fit, in one line."""
    if isinstance(error, ValidationError):
        one = error.errors()[0]
        return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
    return "it is no JSON"
