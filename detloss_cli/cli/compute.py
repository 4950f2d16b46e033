"""detloss compute"""

from __future__ import annotations

from dataclasses import dataclass

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit
from detloss_cli.cli.groups import Caching, Output, Reading, Targets
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request, switched


@dataclass(frozen=True)
class Losses(Targets):
    """What changes the loss of given targets."""

    raw_gains: o.RawGains = False
    head: o.Head = "prior"
    preds: o.Preds = None
    what_if: o.WhatIf = None
    seed: o.Seed = 0


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


def compute(reading: Reading, caching: Caching, losses: Losses, switches: Switches, output: Output) -> int:
    """The loss of a data set: per level, per term, weighted, with shares.

    Reads labels and hyp as the trainer does, builds the targets, and says what
    each level, term and gain adds. Every option has a default that works.
    """
    to = output.sink()
    data = reading.asked(needed=losses.preds is None and losses.run is None)
    wanted = request("compute", **data, **losses.asked(), cache=caching.cache, overrides=switches.asked())
    with busy("computing the loss", quiet=output.quiet):
        from detloss_cli import diagnose
        from detloss_cli.run_context import in_context

        facts, findings = in_context(wanted, *diagnose.compute(wanted))
    return emit("compute", facts, findings, to)
