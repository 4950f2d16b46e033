"""Rules about the class id of a row."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import raised


def class_not_integer(fault: Fault) -> Words:
    """A class id is no whole number.

    yolov5 and yolov7 cut 0.5 to 0 without a word; ultralytics drops the image. Usually the columns are shifted, or names stand in place
    of ids.
    """
    return f"class {quoted(fault.token)} is no whole number" + (f": {fault.detail}" if fault.detail else ""), "write the id from 0"


def class_decimal(fault: Fault) -> Words:
    """A class id is written as a decimal.

    `1.0`, as numpy.savetxt writes it. Loaders of trainers read it, some other tools do not.
    """
    return f"class id {quoted(fault.token)} is written as a decimal", None


def class_out_of_range(fault: Fault) -> Words:
    """A class id is negative or beyond the names.

    yolov5 and yolov7 stop before training and do not say in which file; ultralytics drops the image. In the loss it is an index error
    or, for -1, the last class.
    """
    bound = f"ids go from 0 to {int(fault.detail) - 1}" if fault.detail else "ids start at 0"
    hint = "ids count from 0, not 1" if fault.detail and fault.token == fault.detail else "correct the id, or add its name to `names`"
    return f"class {fault.token} is out of range, {bound}", hint


def class_huge(fault: Fault) -> Words:
    """A class id is larger than any number of classes, where nothing says how many there are.

    The largest id is then taken for the number of classes, and a misread column would ask for a head of that size.
    """
    return (
        f"class {fault.token} is no class id, only ids below {fault.detail} are believed",
        f"give --names, or {raised('names', 2 * int(fault.detail.replace(',', '')))}",
    )


RULES: tuple[Rule, ...] = (
    rule("DET130", "error", class_not_integer),
    rule("DET131", "info", class_decimal),
    rule("DET132", "error", class_out_of_range),
    rule("DET133", "error", class_huge),
)
