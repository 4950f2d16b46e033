"""Rules about model files."""

from __future__ import annotations

from collections.abc import Iterator

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.model_yaml import ModelFile


def model_form(fault: Fault) -> Words:
    """The model file is no mapping of keys to values.

    A weights file, a data.yaml or a hyp file in its place looks like this.
    """
    return f"no model: {fault.detail}", "nc:, anchors:, backbone: and head:, or a built-in name such as yolov5s"


def model_anchors_form(fault: Fault) -> Words:
    """A row of anchors cannot be read.

    One row a level, width and height in pixels by turns, all above 0, as many in each row.
    """
    return f"anchors {fault.token} are no rows of width and height: {fault.detail}".rstrip(": "), "write [10,13, 16,30, 33,23] a level"


def model_anchors_fitted(fault: Fault) -> Words:
    """The file gives a number of anchors, not anchors.

    The trainer fits them to the data before the first epoch (AutoAnchor); until then there are none.
    """
    return f"anchors: {fault.token} is a number: they are fitted to the data before training", "detloss inspect anchors fits them"


def model_value(fault: Fault) -> Words:
    """A value of the model file is none that the trainer can use.

    The head cannot be built with it, so the trainer stops while it reads the model.
    """
    return f"{quoted(fault.token)} is no value for {fault.detail}", "correct it"


def model_levels(fault: Fault) -> Words:
    """The rows of anchors and the levels of the head differ in number.

    Each level has its row, in the order of the levels. A row too many is cut off by some releases, one too few stops them.
    """
    return f"{fault.token} rows of anchors for {fault.detail}", "one row of anchors a level"


def model_strides(fault: Fault) -> Words:
    """The file does not say at which strides its levels stand; they are taken from their number and the file's name.

    Trainers find them by running the network once; no model is built here. P6 heads have 8 to 64, a P2 head begins at 4.
    """
    return f"strides taken to be {fault.detail}", "write strides: [8, 16, 32]"


def model_nc_differs(fault: Fault) -> Words:
    """nc of the model file differs from that of the data. Trainers override it with the data's and say so.

    The head is built for the data, and weights of another number of classes are taken over all but the last layer.
    """
    return f"the model's nc {fault.token} gives way to the {fault.detail} classes of the data", None


def model_faults(file: ModelFile, num_classes: int | None) -> Iterator[Fault]:
    """What is odd about a model file beside its data. num_classes: of the data, None if unknown."""
    nc = file.spec.num_classes
    if nc is not None and num_classes is not None and nc != num_classes:
        yield Fault("model-nc-differs", file.spec.source, file.lines.get("nc"), 1, str(nc), str(num_classes))


RULES: tuple[Rule, ...] = (
    rule("DET370", "error", model_form),
    rule("DET371", "error", model_anchors_form),
    rule("DET372", "info", model_anchors_fitted),
    rule("DET373", "error", model_value),
    rule("DET374", "warning", model_levels),
    rule("DET375", "info", model_strides),
    rule("DET376", "info", model_nc_differs),
)
