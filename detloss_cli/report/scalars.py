"""A recorded step as flat numbers by name, for trackers: what JSON carries and TensorBoard draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from detloss_cli.errors import DetlossError

if TYPE_CHECKING:
    from detloss_cli.facts.heads import DumpFacts, HeadLevelFacts

OPTION = "--tensorboard"


def scalars(dump: DumpFacts) -> dict[str, float]:
    """`loss/obj`, `loss/obj/P3`, `gradient/box/P4`, `iou/P3`, `confidence/P3`, `background/P3`, `told_apart/P3`, `trainer/total`.

    What is not finite is left out: trackers draw no NaN.
    """
    found = {f"loss/{name}": value for name, value in dump.totals.items()}
    for term in dump.terms:
        if term.level is not None:
            found[f"loss/{term.term}/{term.level}"] = term.value
            found[f"gradient/{term.term}/{term.level}"] = math.nan if term.gradient is None else term.gradient
    if dump.parity is not None:
        found |= {f"trainer/{name}": value for name, value in dump.parity.trainer.items()}
    for level in dump.head.levels if dump.head is not None else ():
        found |= {f"{name}/{level.level}": value for name, value in _level(level).items() if value is not None}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _level(level: HeadLevelFacts) -> dict[str, float | None]:
    return {
        "iou": level.iou[1] if level.iou is not None else None,
        "confidence": level.confidence[1] if level.confidence is not None else None,
        "background": level.background_mean,
        "told_apart": level.separation,
    }


def check_tensorboard() -> None:
    """Raises before any work is done what would be missing in the end.

    Raises:
        DetlossError: the writer is not installed.
    """
    try:
        import tensorboardX  # noqa: F401
    except ImportError as error:
        raise DetlossError("needs tensorboardX, which is not installed", where=OPTION, hint="pip install 'detloss[tensorboard]'") from error


def write_tensorboard(folder: str, dumps: Sequence[DumpFacts] | None) -> None:
    """One event file in a folder, a point a step; of several ranks, the first.

    Raises:
        DetlossError: there are no steps, the writer is not installed, or the folder cannot be written to.
    """
    if not dumps:
        raise DetlossError("there are no recorded steps to write", where=OPTION, hint="--preds with dumps of detloss_tap has them")
    check_tensorboard()
    from tensorboardX import SummaryWriter

    first = {dump.step: dump for dump in reversed(dumps)}
    try:
        with SummaryWriter(folder) as writer:
            for step, dump in sorted(first.items()):
                for name, value in scalars(dump).items():
                    writer.add_scalar(name, value, step)
    except OSError as error:
        raise DetlossError(
            f"cannot write to {folder}: {error.strerror}", where=OPTION, hint="give a folder that can be written to"
        ) from error
