"""From a dump to what computes its loss: family, release, hyp, batch and predictions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from detloss_cli import families
from detloss_cli.errors import DetlossError
from detloss_cli.families.interface import Family
from detloss_cli.measure.batches import Batch, in_frame
from detloss_cli.measure.run import Job
from detloss_cli.predictions.dump import Dump
from detloss_cli.predictions.file_head import FilePredictions
from detloss_cli.predictions.refusal import DUMP, SHAPE, refusal
from detloss_cli.targets.assignment import Assignment, Targets

# keys of old hyp files by the name that the records have
LONGEST_WORD = 40  # of a value of a hyp
ALIASES = {"yolov5": {"giou": "box"}}


def family_of(dump: Dump, asked: str) -> Family:
    """The family that a dump names, unless another one is asked for.

    Raises:
        DetlossError: there is none of that name.
    """
    name = dump.about.family if asked == "auto" else asked
    if name not in families.MODULES:
        raise refusal(
            DUMP, dump.path, f"is of a family {name[:40]!r}, which detloss does not know", "explain families lists them; --family names one"
        )
    return families.load(name)


def profile_of(dump: Dump, family: Family, asked: str | None) -> tuple[str, str]:
    """The release, and why: asked for, said by the dump, the newest that is not newer than the trainer, told by what it returned."""
    names = list(family.PROFILES)
    if asked is not None:
        if asked not in names:
            raise DetlossError(f"{family.ID} has no profile of that name", where=f"--profile {asked}", hint=f"one of {', '.join(names)}")
        return asked, "--profile"
    if dump.about.profile in names:
        return str(dump.about.profile), "dump"
    version = dump.about.versions.get("trainer")
    if version:
        older = [name for name in names if _numbers(name) <= _numbers(version)]
        return (older[-1] if older else names[0]), f"trainer {version}"
    items = len(dump.about.loss.items) if dump.about.loss is not None else 0
    fitting = [name for name in names if items and getattr(family.PROFILES[name], "items", items) == items]
    return (fitting or names)[-1], f"{items} loss items" if fitting and len(fitting) < len(names) else "latest"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def hyp_of(dump: Dump, family: Family) -> Any:
    """The family's record of the hyp that the loss had; keys it does not read are passed over.

    Raises:
        DetlossError: a value of another type.
    """
    aliases: Mapping[str, str] = ALIASES.get(family.ID, {})
    given = {aliases.get(key, key): value for key, value in dump.about.hyp.items()}
    known: dict[str, Any] = {}
    for field in fields(family.Hyp):
        if field.name not in given or given[field.name] is None:
            continue
        value = given[field.name]
        numbers = isinstance(value, list) and all(isinstance(one, int | float) for one in value)
        single = isinstance(field.default, int | float)
        if isinstance(value, str) and isinstance(field.default, str) and len(value) < LONGEST_WORD:
            known[field.name] = value
            continue
        if not (numbers or isinstance(value, int | float)) or (single and numbers):
            raise refusal(
                DUMP, dump.path, f"its hyp has {field.name}: {str(value)[:40]}, expected a number", "write it again with detloss_tap.tap"
            )
        known[field.name] = tuple(value) if numbers else _as(field.default, value) if single else value
    return family.Hyp(**known)


def _as(default: Any, value: Any) -> Any:
    """The value in the type of the default: bool, int or float."""
    return type(default)(value)


def job_of(dump: Dump, family: Family, profile: str, device: torch.device) -> Job:
    """The job of one dump, its predictions behind it.

    Raises:
        DetlossError: its levels do not have the channels of the family.
    """
    channels = family.channels(dump.head).count
    if dump.levels[0].shape[-1] != channels or any(level.shape[-1] != channels for level in dump.levels):
        held = "x".join(map(str, dump.levels[0].shape))
        raise refusal(
            SHAPE, dump.path, f"{dump.about.levels[0].key} is {held}, {family.ID} has {channels} channels", "--family names another loss"
        )

    def source(batch: Batch, assignment: Assignment | None) -> FilePredictions:
        return FilePredictions(dump.levels, 0, dump.about.images, dtype=torch.float32, device=device)

    return Job(family, profile, dump.head, hyp_of(dump, family), device, torch.float32, 0, source)


def batch_of(dump: Dump, family: Family, first_image: int, first_row: int, device: torch.device) -> Batch:
    """The targets of a dump as the batch that they were.

    Args:
        first_image, first_row: where it starts among the images and targets of all dumps.
    """
    rows = dump.targets
    boxes = in_frame(rows[:, 2:].numpy(), dump.head.imgsz, family.FRAME).astype(np.float32)
    columns = (rows[:, 0].long().to(device), rows[:, 1].long().to(device), torch.from_numpy(boxes).to(device))
    return Batch(first_image, slice(first_row, first_row + len(rows)), Targets(*columns, dump.about.images, family.FRAME))
