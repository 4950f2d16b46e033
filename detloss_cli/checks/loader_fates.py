"""Rules about what the chosen loader does with the data set without asking."""

from __future__ import annotations

from collections.abc import Iterator

from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.loaders import LOADERS


def loader_drops_image(fault: Fault) -> Words:
    """The loader drops a whole image for the fault of one row.

    One message in a log of thousands of lines says so, and its good rows are lost with the bad one. Rows lost in this way are counted
    under the rule that the one row breaks.
    """
    return f"{fault.token} drops the image with all its rows ({fault.detail})", "repair the row; the others are fine"


def loader_takes_for_background(fault: Fault) -> Words:
    """The loader takes an image with labels for background, without a word.

    It counts the image as one without labels, so its objects train as background: worse than losing the image.
    """
    return f"{fault.token} takes the image for background ({fault.detail})", "repair the row; the others are fine"


def loader_stops(fault: Fault) -> Words:
    """The loader, or the trainer behind it, stops at this row, without naming it.

    An assert about the largest class id, a shape or an index, raised without a file name, in the first epoch or before it.
    """
    return f"{fault.token} stops the training here ({fault.detail})", "repair the row"


def loader_misreads(fault: Fault) -> Words:
    """The loader reads another box than the one that is written: a box row among polygons is taken for two points.

    `0 .5 .5 .2 .2` becomes the box around the points (.5, .5) and (.2, .2): centre .35 .35, sides .3 .3. Nothing is printed, and the loss
    trains on it.
    """
    return f"{fault.token} reads this box as a polygon of two points", "export the file again in one form"


def loader_removes_repeat(fault: Fault) -> Words:
    """The loader removes a row that repeats an earlier one, and sorts the rest.

    The order of rows decides who wins a cell that two boxes claim, so the sort can change targets.
    """
    return f"{fault.token} removes the repeated row", None


def loader_accepts(fault: Fault) -> Words:
    """The loader accepts a row that is in error, and trains on it.

    What the loss makes of it differs: a centre outside may fall into another cell, a class of 1.5 counts as 1.
    """
    return f"{fault.token} accepts the row and trains on it ({fault.detail})", "repair the row"


RULES: tuple[Rule, ...] = (
    rule("DET250", "warning", loader_drops_image),
    rule("DET251", "warning", loader_takes_for_background),
    rule("DET252", "warning", loader_stops),
    rule("DET253", "warning", loader_misreads),
    rule("DET254", "info", loader_removes_repeat),
    rule("DET255", "info", loader_accepts),
)
KINDS = {
    "drop": "loader-drops-image",
    "background": "loader-takes-for-background",
    "stop": "loader-stops",
    "misread": "loader-misreads",
    "remove": "loader-removes-repeat",
    "accept": "loader-accepts",
}


def fate_faults(dataset: DataSet) -> Iterator[Fault]:
    """One fault for each thing that the loader does unasked."""
    title = LOADERS[dataset.loader].title
    for fate in dataset.fates:
        detail = f"{fate.kind}, {fate.rows} row" + ("s" if fate.rows != 1 else "")
        yield Fault(KINDS[fate.action], fate.path, fate.line, None if fate.line is None else 1, title, detail)
