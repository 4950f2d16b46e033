"""Hyperparameter files: keys to values as the trainer reads them, each with its line."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from detloss_cli.errors import DetlossError
from detloss_cli.inputs import shipped
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.nearest import nearest, nearest_path
from detloss_cli.inputs.yaml_node import NUMBER, Node, surprise
from detloss_cli.inputs.yaml_text import read_yaml

HypValue = float | int | str | bool | None
Record = TypeVar("Record")
LISTS = frozenset({"device", "classes", "freeze", "imgsz", "embed", "source"})  # settings of ultralytics that may hold several values


class Key(Protocol):
    """What is asked of a family's key: its name, its default, the range that the trainer's evolution searches, and the words that it can
    hold where it is no number."""

    @property
    def name(self) -> str: ...
    @property
    def default(self) -> float | str | bool: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def choices(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class HypFile:
    """A hyp file. values: by key, the number where a number was written as text. lines: 1-based. faults: of the file and of each value."""

    path: str
    values: dict[str, HypValue]
    lines: dict[str, int]
    faults: tuple[Fault, ...]


def read_hyp(name_or_path: str, section: str | None = None, limits: Limits = DEFAULT) -> HypFile:
    """Read a hyp file, or a shipped one by its name.

    Args:
        section: the key that holds the hyp, in a file that holds more: the opt.yaml of a yolov5 7.0 run.

    Raises:
        DetlossError: neither a file nor a shipped name.
    """
    path = name_or_path
    if not os.path.exists(path):
        path = shipped.hyp(name_or_path) or ""
    if not path or os.path.isdir(path):
        raise DetlossError("no such hyp file", where=f"--hyp {name_or_path}", hint=_suggestion(name_or_path))
    document = read_yaml(path, limits)
    root = document.root
    if section is not None and root is not None:
        root = next((value for key, _, value in root.keyed() if key == section), None)
    faults = list(document.faults)
    values: dict[str, HypValue] = {}
    lines: dict[str, int] = {}
    if root is None:
        if not faults:
            faults.append(Fault("hyp-empty", path, None, None, ""))
    elif root.kind != "mapping":
        faults.append(Fault("yaml-not-a-mapping", path, root.line, root.column, "", root.kind))
    else:
        for key, key_node, value in root.keyed():
            lines[key] = key_node.line
            if value.refused:
                continue
            if value.kind == "scalar":
                values[key] = _value(path, key, value, faults)
            elif key not in LISTS:
                faults.append(Fault("hyp-form", path, key_node.line, key_node.column, key, value.kind))
    return HypFile(path, values, lines, tuple(faults))


def to_record(
    file: HypFile, keys: Sequence[Key], record_type: type[Record], aliases: Mapping[str, str] | None = None
) -> tuple[Record, tuple[Fault, ...]]:
    """The keys of a family as its record; what the file lacks or spoils keeps its default.

    Args:
        aliases: other name in a file -> key, such as `giou` -> `box`.
    """
    names = {key.name: key.name for key in keys} | dict(aliases or {})
    defaults = {key.name: key.default for key in keys}
    words = {key.name: key.choices for key in keys}
    found: dict[str, float | str | bool] = {}
    faults: list[Fault] = []
    for name, value in file.values.items():
        key = names.get(name)
        if key is None or (name != key and key in file.values):
            continue
        line = file.lines[name]
        if value is None:
            faults.append(Fault("hyp-no-value", file.path, line, None, name, f"{defaults[key]}"))
        elif words[key]:
            if spelled(value) not in words[key]:
                faults.append(Fault("hyp-not-choice", file.path, line, None, f"{name}: {spelled(value)}", " or ".join(words[key])))
            else:
                found[key] = spelled(value) == "true" if isinstance(defaults[key], bool) else value
        elif isinstance(value, bool | str):
            faults.append(Fault("hyp-not-number", file.path, line, None, name, f"{value}"))
        elif math.isfinite(value):
            found[key] = int(value) if isinstance(defaults[key], int) and value == int(value) else value
    return record_type(**found), tuple(faults)


def spelled(value: HypValue) -> str:
    """A value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(path: str, key: str, node: Node, faults: list[Fault]) -> HypValue:
    value = node.value
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        faults.append(Fault("hyp-number-as-text", path, node.line, node.column, node.text, "quoted" if not node.plain else ""))
        value = float(value)
    elif odd := surprise(node):
        faults.append(Fault("yaml-word", path, node.line, node.column, node.text, f"{odd}: {value}"))
    if isinstance(value, float) and not math.isfinite(value):
        faults.append(Fault("hyp-not-finite", path, node.line, node.column, node.text, key))
    return value if isinstance(value, float | int | str | bool | None) else node.text


def _suggestion(name: str) -> str:
    by_name = nearest(name.removeprefix("hyp.").removesuffix(".yaml"), shipped.hyps())
    beside = nearest_path(name) if os.path.dirname(name) and "\0" not in name else ""
    if beside or by_name:
        return f"did you mean {os.path.relpath(beside) if beside else by_name}?"
    return f"a file, or one of {', '.join(shipped.hyps())}"
