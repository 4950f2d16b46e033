"""detloss compute"""

from __future__ import annotations

from dataclasses import dataclass

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit
from detloss_cli.cli.grouping import Grouping
from detloss_cli.cli.groups import Caching, Heads, Output, Reading
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request, switched
from detloss_cli.cli.save import refuse_run, save_run
from detloss_cli.cli.sweeps import axes, sweep
from detloss_cli.errors import DetlossError


@dataclass(frozen=True)
class Losses(Heads):
    """What changes the loss, and what else it could be."""

    what_if: o.WhatIf = None


@dataclass(frozen=True)
class Switches:
    """Keys of the loss that a hyp file may hold, given by hand."""

    autobalance: o.AutoBalance = False
    gr: o.Gr = None
    label_smoothing: o.LabelSmoothing = None
    sort_obj_iou: o.SortObjIou = False

    def asked(self) -> dict[str, bool | float]:
        flags = {"autobalance": self.autobalance or None, "sort_obj_iou": self.sort_obj_iou or None}
        return switched(**flags, gr=self.gr, label_smoothing=self.label_smoothing)


def compute(
    reading: Reading,
    caching: Caching,
    losses: Losses,
    switches: Switches,
    grouping: Grouping,
    *,
    save: o.SaveRun = None,
    sweeps: o.Sweep = None,
    tensorboard: o.TensorBoard = None,
    output: Output,
) -> int:
    """The loss of a data set: per level, per term, weighted, with shares.

    Reads labels and hyp as the trainer does, builds the targets, and says what
    each level, term and gain adds. Every option has a default that works.
    """
    to = output.sink()
    if save is not None:
        refuse_run(save, force=output.force)
    chosen = axes(sweeps or ())
    if chosen and losses.preds is not None:
        raise DetlossError("head outputs fit one setting alone", where="--sweep", hint="leave out --preds")
    if chosen and grouping.by is not None:
        raise DetlossError("--by counts one setting, --sweep shows several", where=f"--by {grouping.by}", hint="leave one of them out")
    grouped = grouping.asked(to)
    if tensorboard is not None:
        from detloss_cli.report.scalars import check_tensorboard

        check_tensorboard()
    data = reading.asked(needed=losses.preds is None and losses.run is None)
    given = {**data, **losses.asked(), **grouped, **caching.asked(), "each_box": save is not None, "overrides": switches.asked()}
    wanted = request("compute", **given)
    with busy("computing the loss", quiet=output.quiet):
        from detloss_cli.diagnose import loss as diagnose
        from detloss_cli.diagnose.run_context import in_context

        outcome = sweep("compute", given, wanted, chosen, diagnose.compute) if chosen else diagnose.compute(wanted)
        facts, findings = in_context(wanted, *outcome)
    if save is not None:
        save_run(save, facts, force=output.force)
    if tensorboard is not None:
        from detloss_cli.report.scalars import write_tensorboard

        write_tensorboard(tensorboard, facts.dumps)
    grouping.write(facts, to)
    return emit("compute", facts, findings, to)
