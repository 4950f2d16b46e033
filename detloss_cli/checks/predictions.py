"""Rules about files of head outputs: what is refused, and what in them makes a loss worthless."""

from __future__ import annotations

from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def prediction_not_finite(fault: Fault) -> Words:
    """A head output is NaN or infinite, so every loss computed from it is too.

    It is looked for before anything is computed, and named by level, image, channel and place. An infinity in float16 is a logit beyond
    65504: keep the dump in float32, or look at the learning rate and at what the model was fed before the first one.
    """
    return fault.token, fault.detail or None


def prediction_file_unreadable(fault: Fault) -> Words:
    """A file of head outputs cannot be read: cut short, damaged, empty, or of no known format.

    npz and safetensors are read, and .pt with tensors alone. Nothing in a file is ever run to read it.
    """
    return fault.token, fault.detail or None


def prediction_file_holds_code(fault: Fault) -> Words:
    """A file of head outputs holds pickled objects.

    Reading them would run whatever their author put there, so they are refused, without an option to read them all the same. A checkpoint
    of a whole model is such a file. `python detloss_tap.py dump best.pt --data data.yaml --split val`, run where the model was trained,
    writes its head outputs as plain numbers.
    """
    return fault.token, fault.detail or None


def prediction_file_too_big(fault: Fault) -> Words:
    """A file of head outputs would take more memory than the limit of 2 GiB, or of `--limit preds-bytes=N`.

    What it will take is added up from its headers before anything is read. Uncompressed .npz and .safetensors are mapped and may be larger.
    """
    return fault.token, fault.detail or None


def prediction_shape(fault: Fault) -> Words:
    """A level in the file has another shape or type than the head: images, anchors, rows, columns, channels, floating point.

    The wrong model, input size or number of classes is behind it as a rule: `--model`, `--imgsz`, `--names`.
    """
    return fault.token, fault.detail or None


def prediction_level_missing(fault: Fault) -> Words:
    """A level that the head has is not in the file, or the file has one that the head lacks.

    Levels are named by stride: p3 is stride 8, p4 16, p5 32. The loss of a part of the levels would look like a smaller loss.
    """
    return fault.token, fault.detail or None


def prediction_dump_invalid(fault: Fault) -> Words:
    """The description inside a dump is damaged, of another version, or does not fit its tensors.

    A dump says of itself which step, gains and targets it holds. Write it again with the tap of this release.
    """
    return fault.token, fault.detail or None


def loss_differs_from_trainer(fault: Fault) -> Words:
    """The loss computed from a dump is not the one that the trainer got from the same tensors.

    The setting that would explain it is named if there is one: release, gains, share of the overlap in the objectness target, smoothing,
    half precision, the targets. Otherwise the trainer computes something that detloss does not.
    """
    return fault.token, fault.detail or None


RULES: tuple[Rule, ...] = (
    rule("DET501", "error", prediction_not_finite),
    rule("DET502", "error", prediction_file_unreadable),
    rule("DET503", "error", prediction_file_holds_code),
    rule("DET504", "error", prediction_file_too_big),
    rule("DET505", "error", prediction_shape),
    rule("DET506", "error", prediction_level_missing),
    rule("DET507", "error", prediction_dump_invalid),
    rule("DET508", "warning", loss_differs_from_trainer),
)
