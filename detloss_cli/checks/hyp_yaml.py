"""Rules about hyp files."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def hyp_empty(fault: Fault) -> Words:
    """The hyp file is empty.

    Trainers stop at the first key that they miss. detloss goes on with the family's own values.
    """
    return "the file holds no keys", "start from one of the shipped ones: --hyp scratch-low"


def hyp_form(fault: Fault) -> Words:
    """A key holds a list or a mapping where a number is due.

    Trainers multiply with it: a list stops them at the first batch, or is repeated instead of scaled.
    """
    return f"{fault.token} holds a {fault.detail}, not a number", "write one number"


def hyp_number_as_text(fault: Fault) -> Words:
    """A number is read as text.

    YAML 1.1 wants a dot in a number with an exponent: `1e-3` is text, `1.0e-3` a number. yolov5 fails inside the loss with
    "unsupported operand", ultralytics with a TypeError. detloss goes on with the number that was meant.
    """
    why = "it stands in quotes" if fault.detail else "YAML 1.1 wants a dot before the exponent"
    return f"{quoted(fault.token)} is read as text: {why}", f"write {float(fault.token)!r}"


def hyp_not_finite(fault: Fault) -> Words:
    """A value is NaN or infinite.

    It makes the loss NaN from the first step on. detloss goes on with the default.
    """
    return f"{fault.detail} is {fault.token}, not a finite number", "write a finite number"


def hyp_not_number(fault: Fault) -> Words:
    """A key that the loss reads holds no number. detloss goes on with the default.

    The trainer stops with a TypeError in the first batch, or earlier where it scales its gains.
    """
    return f"{fault.token} is {quoted(fault.detail)}, not a number", "write one number"


def hyp_not_choice(fault: Fault) -> Words:
    """A key that holds one of a few words holds another. detloss goes on with the default.

    The loss has a few forms with names of their own. A release that does not know the word stops or takes another form.
    """
    return fault.token, f"write {fault.detail}"


def hyp_no_value(fault: Fault) -> Words:
    """A key that the loss reads has no value. detloss goes on with the default.

    YAML reads `key:` as null; the trainer then multiplies with None and stops.
    """
    return f"{fault.token} has no value", f"write {fault.token}: {fault.detail}"


def hyp_key_missing(fault: Fault) -> Words:
    """A key that the loss reads is missing.

    The trainer stops with a KeyError, in some releases not before the first batch. detloss goes on with the default.
    """
    return f"no {fault.token}, which the loss of {fault.detail} reads", f"add {fault.token}"


def hyp_key_unknown(fault: Fault) -> Words:
    """No trainer of this family reads the key.

    Trainers ignore unknown keys silently: a typo leaves the default in force.
    """
    return f"nobody reads {quoted(fault.token)}", f"did you mean {fault.detail}?" if fault.detail else "delete it"


def hyp_key_foreign(fault: Fault) -> Words:
    """The key belongs to another family. Here it changes nothing.

    Hyp files are passed on between trainers, and what one reads the other ignores without a word.
    """
    return f"{fault.token} is read by {fault.detail}", "delete it, or choose the other family with --family"


def hyp_key_dead(fault: Fault) -> Words:
    """The key is known but nothing reads it any more. Changing it changes nothing.

    Files keep keys of old releases. A search over such a key measures noise.
    """
    return f"{fault.token} has no effect: {fault.detail}", None


def hyp_key_overwritten(fault: Fault) -> Words:
    """The trainer overwrites the value from its command line. What stands in the file has no effect there.

    yolov5 and yolov7 take it from an option of `train.py`, whose default wins as well.
    """
    return f"{fault.token} has no effect in the file: {fault.detail}", f"pass --{fault.token.replace('_', '-')} to the trainer"


def hyp_anchors(fault: Fault) -> Words:
    """`anchors:` in a hyp file is a number of anchors a level and overrules the model file.

    The trainer rounds it, leaves the anchors of the model file aside and has to fit new ones to the data (AutoAnchor).
    """
    return f"anchors: {fault.token} makes the trainer fit that many anchors a level anew", "detloss inspect anchors shows the fit"


def hyp_no_match(fault: Fault) -> Words:
    """With this threshold no box can match any anchor.

    The larger of the ratios is never below 1 and has to be below anchor_t; a wh-IoU never exceeds 1 and has to exceed iou_t.
    """
    return f"with {fault.token} {fault.detail} no box ever matches an anchor", "anchor_t above 1 (4.0), iou_t below 1 (0.2)"


def hyp_negative(fault: Fault) -> Words:
    """A negative gain makes training worsen its term.

    The optimiser goes down, so the term goes up, without a bound. A dash before the number is a typing error as a rule.
    """
    return f"{fault.token} is negative: {fault.detail}", "write a positive number, or 0 to switch the term off"


def hyp_other_scale(fault: Fault) -> Words:
    """A gain has the scale of another family.

    The same name means different units: `box` is 0.05 in yolov5 and 7.5 in v8 and later. Copied over it is 150 times off.
    """
    return f"{fault.token} {fault.detail}", "use the values of one family's own file"


def hyp_range(fault: Fault) -> Words:
    """A value lies outside the range that the trainer's own evolution searches. Nothing forbids it; nobody tried it there.

    Bounds of `--evolve`, or of the tuner of ultralytics. A search that ran for weeks never looked beyond them.
    """
    return (
        f"{fault.token} {fault.detail}, the range that evolution searches",
        "go back into the range, or compare both losses",
    )


RULES: tuple[Rule, ...] = (
    rule("DET350", "error", hyp_empty),
    rule("DET351", "warning", hyp_form),
    rule("DET352", "error", hyp_number_as_text),
    rule("DET353", "error", hyp_not_finite),
    rule("DET354", "error", hyp_not_number),
    rule("DET355", "error", hyp_no_value),
    rule("DET356", "error", hyp_key_missing),
    rule("DET357", "warning", hyp_key_unknown),
    rule("DET358", "warning", hyp_key_foreign),
    rule("DET359", "info", hyp_key_dead),
    rule("DET360", "warning", hyp_key_overwritten),
    rule("DET361", "info", hyp_anchors),
    rule("DET362", "error", hyp_no_match),
    rule("DET363", "error", hyp_negative),
    rule("DET364", "warning", hyp_other_scale),
    rule("DET365", "warning", hyp_range),
    rule("DET366", "error", hyp_not_choice),
)
