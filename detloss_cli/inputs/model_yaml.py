"""Heads by name or from a model YAML."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.head import HeadSpec
from detloss_cli.inputs.heads import BUILT_IN, P3_P5
from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.model_strides import strides_of_layers, strides_of_name
from detloss_cli.inputs.nearest import nearest, nearest_path
from detloss_cli.inputs.yaml_node import Node
from detloss_cli.inputs.yaml_text import read_yaml

Boxes = tuple[tuple[float, float], ...]
# what the last layer of a model file is called, by the family whose loss it feeds
FAMILY_OF_MODULE = {"IDetect": "yolov7", "IAuxDetect": "yolov7", "IBin": "yolov7", "v10Detect": "yolov8"}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A head and where it was read. lines: of the keys of the file, 1-based, empty for a built-in head."""

    spec: HeadSpec
    lines: dict[str, int]
    faults: tuple[Fault, ...]


def read_model_file(name_or_path: str, limits: Limits = DEFAULT) -> ModelFile:
    """A model YAML, or a built-in head by its name, however it is written: `yolov5s`, `yolov5s.pt`, `models/yolov5s.yaml`.

    Raises:
        DetlossError: neither.
    """
    stem, suffix = os.path.splitext(os.path.basename(name_or_path))
    if suffix.lower() in (".yaml", ".yml") and os.path.exists(name_or_path):
        return _from_file(name_or_path, stem.lower(), limits)
    known = suffix.lower() in (".yaml", ".yml", ".pt", ".cfg", ".pth", ".onnx", ".weights")
    name = (stem if known else os.path.basename(name_or_path)).lower().replace("_", "-")
    if name in BUILT_IN:
        return ModelFile(BUILT_IN[name], {}, ())
    beside = nearest_path(name_or_path) if os.path.dirname(name_or_path) and "\0" not in name_or_path else ""
    meant = os.path.relpath(beside) if beside else nearest(name, BUILT_IN)
    hint = f"did you mean {meant}?" if meant else "a model .yaml, or a name such as yolov5s, yolo11n, yolov7, yolox-s"
    raise DetlossError("no such model file or built-in head", where=f"--model {name_or_path}", hint=hint)


def _from_file(path: str, stem: str, limits: Limits) -> ModelFile:
    document = read_yaml(path, limits)
    faults = list(document.faults)
    root = document.root
    if root is None or root.kind != "mapping":
        if not faults:
            line, column = (root.line, root.column) if root else (None, None)
            faults.append(Fault("model-form", path, line, column, "", root.kind if root else "empty file"))
        return ModelFile(replace(BUILT_IN.get(stem, HeadSpec(stem, None, P3_P5)), source=path), {}, tuple(faults))
    values = {text: value for text, _, value in root.keyed()}
    lines = {text: key.line for text, key, _ in root.keyed()}
    layers = tuple(item for part in ("backbone", "head") if part in values for item in values[part].items)
    module = layers[-1].items[2].text if layers and len(layers[-1].items) > 2 else ""
    free = "anchors" not in values or "DDetect" in module  # yolov9 says anchors: 3 and has none
    anchors = None if free else _anchors(path, values.get("anchors"), faults)
    strides = _strides(path, stem, values.get("strides"), layers, anchors, faults)
    if anchors is not None and len(anchors) != len(strides):
        token = str(len(anchors))
        faults.append(Fault("model-levels", path, lines.get("anchors"), None, token, f"{len(strides)} levels"))
        strides = strides_of_name(stem, len(anchors))
    built_in = BUILT_IN.get(stem)
    family = built_in.family if built_in else FAMILY_OF_MODULE.get(module, ("yolov8" if free else "yolov5") if module else None)
    end2end = values.get("end2end")
    spec = HeadSpec(
        name=stem,
        family=family,
        strides=strides,
        anchors=((),) * len(strides) if free else anchors,
        num_classes=_positive_int(path, "nc", values.get("nc"), faults),
        imgsz=built_in.imgsz if built_in and built_in.strides == strides else 1280 if 64 in strides and not free else 640,
        reg_max=(_positive_int(path, "reg_max", values.get("reg_max"), faults) or 16) if free else 0,
        end2end=module == "v10Detect" or (end2end is not None and end2end.value is True),
        source=path,
    )
    _multiples(path, values, faults)
    return ModelFile(spec, lines, tuple(faults))


def _anchors(path: str, node: Node | None, faults: list[Fault]) -> tuple[Boxes, ...] | None:
    """One row a level; None where a number of anchors has to be fitted first, or where the rows cannot be read."""
    if node is None or node.refused:
        return None
    if type(node.value) is int:
        faults.append(Fault("model-anchors-fitted", path, node.line, node.column, node.text))
        return None
    rows = [_row(row) for row in node.items]
    bad = next((i for i, row in enumerate(rows) if not row or len(row) != len(rows[0])), None)
    if not rows or bad is not None:
        at = node.items[bad] if bad is not None else node
        detail = f"{len(rows[bad])} anchors, the first row {len(rows[0])}" if bad and rows[bad] and rows[0] else ""
        faults.append(Fault("model-anchors-form", path, at.line, at.column, at.text, detail))
        return None
    return tuple(rows)


def _row(node: Node) -> Boxes:
    """Width and height by turns, flat or in pairs; () if anything is no positive number."""
    cells = [cell for item in node.items for cell in (item.items if item.kind == "sequence" else (item,))]
    numbers = [float(c.value) for c in cells if isinstance(c.value, int | float) and math.isfinite(c.value) and c.value > 0]
    if len(numbers) != len(cells) or len(numbers) % 2:
        return ()
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _strides(
    path: str, stem: str, node: Node | None, layers: tuple[Node, ...], anchors: tuple[Boxes, ...] | None, faults: list[Fault]
) -> tuple[int, ...]:
    """As the file says, else through its layers, else by the number of levels. With auxiliary heads the lead ones come first."""
    given = tuple(item.value for item in node.items if type(item.value) is int and 1 <= item.value <= 1024) if node else ()
    if given:
        return given
    found = strides_of_layers(layers)
    if len(found) > 1 and found[: len(found) // 2] == found[len(found) // 2 :]:
        found = found[: len(found) // 2]
    if found:
        return found
    built_in = BUILT_IN.get(stem)
    guess = strides_of_name(stem, len(anchors)) if anchors else built_in.strides if built_in else strides_of_name(stem, 3)
    faults.append(Fault("model-strides", path, None, None, "", ", ".join(map(str, guess))))
    return guess


def _positive_int(path: str, key: str, node: Node | None, faults: list[Fault]) -> int | None:
    if node is None or node.refused:
        return None
    if type(node.value) is int and 1 <= node.value <= 100_000:
        return node.value
    faults.append(Fault("model-value", path, node.line, node.column, node.text, f"{key}, a whole number above 0"))
    return None


def _multiples(path: str, values: dict[str, Node], faults: list[Fault]) -> None:
    for key in ("depth_multiple", "width_multiple"):
        node = values.get(key)
        if node is not None and (isinstance(node.value, bool) or not isinstance(node.value, int | float) or not 0 < node.value < 100):
            faults.append(Fault("model-value", path, node.line, node.column, node.text, f"{key}, a number above 0"))
