"""What a trainer was told, as the fields of a request: from a run folder or a train command, each value with its source."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from detloss_cli.inputs import shipped
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.heads import BUILT_IN
from detloss_cli.inputs.run_paths import Places, find_path

SOURCE = "train command"  # where a value was said that stands in no file
# What a trainer takes for an option that nobody gave.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "yolov5": {"weights": "yolov5s.pt", "hyp": "hyp.scratch-low.yaml", "imgsz": 640, "batch_size": 16},
    "yolov7": {"weights": "yolo7.pt", "hyp": "hyp.scratch.p5.yaml", "img_size": [640, 640], "batch_size": 16},
    "ultralytics": {"imgsz": 640, "batch": 16},
}
# hyp files of the trainers -> the shipped one with the same values
SHIPPED = {"scratch": "scratch-low", "scratch.p5": "yolov7-p5", "scratch.p6": "yolov7-p6", "scratch.tiny": "yolov7-tiny"}
GAINS = ("box", "cls", "dfl", "cls_pw")  # that an ultralytics command line or settings file sets
# What a trainer does and detloss does not: key -> in words.
UNLIKE = {
    "rect": "batches of pictures of like aspect, each with an input shape of its own; computed with the full input",
    "quad": "four pictures in one, at twice the input; computed one by one",
    "multi_scale": "another input size every few batches; computed at the one that was named",
    "image_weights": "pictures drawn by the classes that do badly; computed with each picture once",
    "fraction": "a part of the pictures; computed with all of them",
    "task": "a loss with more terms; computed as detect",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One value that a trainer was given. source: the file or `train command`. line: 1-based, None for a word of a command."""

    value: Any
    source: str
    line: int | None = None


@dataclass(slots=True)
class Training:
    """A training as detloss would compute it.

    path: run folder, or the train command. trainer: yolov5, yolov7 or ultralytics. fields: field of a request -> value. origins: field ->
    where it was said. asked: field -> why it is not known. overrides: hyp keys that the trainer's own options overwrite. files: those that
    were read. missing: files that a run of this trainer has and this one lacks. log: the epochs, None without.
    """

    path: str
    trainer: str
    fields: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    log: str | None = None
    faults: tuple[Fault, ...] = ()

    def put(self, name: str, value: Any, origin: str) -> None:
        self.fields[name], self.origins[name] = value, origin
        self.asked.pop(name, None)


def interpret(training: Training, said: Mapping[str, Said], places: Places, complete: bool = True) -> None:
    """Fill the fields of a training from what its trainer was told.

    Args:
        complete: an option that was not said has the trainer's default; else it is not known.
    """
    words = dict(said)
    if complete:
        default = f"{training.trainer}'s default"
        for key, value in DEFAULTS[training.trainer].items():
            words.setdefault(key, Said(value, default))
    _data(training, words, places)
    _model(training, words, places)
    _hyp(training, words, places)
    _size(training, words)
    _batch(training, words)
    _switches(training, words)
    training.faults += tuple(_unlike(words))


def _data(training: Training, words: Mapping[str, Said], places: Places) -> None:
    told = words.get("data")
    if told is None or not isinstance(told.value, str) or not told.value:
        training.asked["data"] = f"no data in {told.source}" if told else "no data was named"
        return
    found = find_path(told.value, places)
    if found is None:
        training.asked["data"] = f"{told.value} is not here; --root is the folder that holds it"
    else:
        training.put("data", (found,), _moved(told, found))


def _model(training: Training, words: Mapping[str, Said], places: Places) -> None:
    """The model file, else the head that the weights are named after."""
    for key in ("cfg", "model", "weights"):
        told = words.get(key)
        if (
            told is None
            or not isinstance(told.value, str)
            or not told.value.strip()
            or (key == "cfg" and training.trainer == "ultralytics")
        ):
            continue
        origin = told.source if key == "cfg" else f"{told.source} {key}"
        found = find_path(told.value, places) if told.value.lower().endswith((".yaml", ".yml")) else None
        stem = os.path.splitext(os.path.basename(told.value.replace("\\", "/")))[0].lower().replace("_", "-")
        if found is not None:
            training.put("model", found, _moved(told, found, origin))
        elif stem in BUILT_IN:
            training.put("model", stem, origin)
        else:
            training.asked["model"] = f"{told.value} of {origin} is no head that is built in, and no model file that is here"
        return
    training.asked["model"] = "no model was named"


def _hyp(training: Training, words: Mapping[str, Said], places: Places) -> None:
    """A hyp file that was named; a run folder brings its own and comes before."""
    if training.trainer == "ultralytics":
        for key in GAINS:
            told = words.get(key)
            if told is not None and "hyp" not in training.fields and _is_number(told.value):
                training.overrides[key] = float(told.value)
                training.origins[key] = told.source
        if "hyp" not in training.fields and "hyp" not in training.asked:
            training.put("hyp", "yolov8", "ultralytics's defaults")
        return
    smoothing = words.get("label_smoothing")
    value = smoothing.value if smoothing is not None and _is_number(smoothing.value) else 0.0
    if value:
        training.overrides["label_smoothing"] = float(value)
        training.origins["label_smoothing"] = smoothing.source if smoothing is not None else ""
    told = words.get("hyp")
    if "hyp" in training.fields or told is None:
        return
    if not isinstance(told.value, str) or not told.value:
        training.asked["hyp"] = f"no hyp in {told.source}"
        return
    found = find_path(told.value, places)
    name = os.path.basename(told.value.replace("\\", "/")).removeprefix("hyp.").removesuffix(".yaml")
    built_in = shipped.hyp(SHIPPED.get(name, name))
    if found is not None and os.path.isfile(found):
        training.put("hyp", found, _moved(told, found))
    elif built_in is not None:
        training.put("hyp", SHIPPED.get(name, name), f"{told.source}, as it comes with detloss")
    else:
        training.asked["hyp"] = f"{told.value} is not here"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < sys.float_info.max


def _size(training: Training, words: Mapping[str, Said]) -> None:
    told = words.get("imgsz") or words.get("img_size") or words.get("img")
    value = told.value[0] if told is not None and isinstance(told.value, list | tuple) and told.value else told.value if told else None
    if told is None or isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 1 << 15:
        training.asked["imgsz"] = f"no input size in {told.source}" if told else "no input size was named"
    else:
        training.put("imgsz", (value, value), told.source)


def _batch(training: Training, words: Mapping[str, Said]) -> None:
    told = words.get("batch_size") or words.get("batch")
    value = told.value if told is not None else None
    if told is not None and isinstance(value, int) and not isinstance(value, bool) and value > 0:
        training.put("batch_size", value, told.source)
    elif told is not None:
        training.asked["batch_size"] = f"batch {value} of {told.source} is chosen by the trainer on its device"
    else:
        training.asked["batch_size"] = "no batch size was named"


def _switches(training: Training, words: Mapping[str, Said]) -> None:
    for key in ("single_cls", "rect"):
        told = words.get(key)
        if told is not None and told.value is True:
            training.put(key, True, told.source)
    told = words.get("noautoanchor")
    if told is not None and told.value is True:
        training.put("anchors", "stock", f"stock: noautoanchor of {told.source}")
    elif training.trainer != "ultralytics":
        training.put("anchors", "auto", f"{training.trainer}'s AutoAnchor")
    told = words.get("classes")
    if training.trainer == "ultralytics" and told is not None and told.value not in (None, [], ""):
        wanted = told.value if isinstance(told.value, list | tuple) else [told.value]
        if all(type(one) is int for one in wanted):
            training.put("classes", tuple(wanted), told.source)


def _unlike(words: Mapping[str, Said]) -> Iterator[Fault]:
    for key, does in UNLIKE.items():
        told = words.get(key)
        if told is not None and _is_on(key, told.value):
            yield Fault("switch-not-modelled", told.source, told.line, None, f"{key}: {str(told.value).lower()}", does)


def _is_on(key: str, value: Any) -> bool:
    if key == "task":
        return isinstance(value, str) and value != "detect"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value is True
    return value < 1 if key == "fraction" else value > 0


def _moved(told: Said, found: str, origin: str | None = None) -> str:
    """The source, and where the thing was found if that is another place."""
    word = origin or told.source
    return word if os.path.normpath(str(told.value)) == found else f"{word}, found at {found}"


def training_faults(training: Training | None, *, rect: bool, formed: bool) -> tuple[Fault, ...]:
    """What is odd about a training, and about `--rect` where it was typed.

    Args:
        rect: rectangular batches are asked for. formed: and the family's are.
    """
    own = training.faults if training is not None else ()
    told = [fault for fault in own if fault.kind == "switch-not-modelled" and fault.token.startswith("rect")]
    if formed:
        return tuple(fault for fault in own if fault not in told)
    return (*own, not_rectangular("--rect", "")) if rect and not told else own


def not_rectangular(source: str, why: str) -> Fault:
    """Rectangular batches are not formed. why: in words, "" where the family's trainer has none."""
    words = UNLIKE["rect"]
    return Fault("switch-not-modelled", source, None, None, "rect", words.replace("; computed", f"; {why}, so computed") if why else words)
