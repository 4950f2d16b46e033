"""`names:` and `nc:` of a data.yaml: the class names by id, their number, and what is wrong with either."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.dataspec import NamesSource
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import DEFAULT, raised
from detloss_cli.inputs.small_file import read_lines
from detloss_cli.inputs.yaml_node import Node, surprise

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Classes:
    """names: by id. num_classes: None if unknown or in error."""

    names: tuple[str, ...]
    num_classes: int | None
    source: NamesSource
    faults: tuple[Fault, ...] = ()


def numbered(count: int, source: NamesSource, faults: tuple[Fault, ...] = ()) -> Classes:
    """Names for classes that have none."""
    return Classes(tuple(f"class_{i}" for i in range(count)), count, source, faults)


def from_option(option: str, most: int = DEFAULT.names) -> Classes:
    """`--names`: a number, a comma list or a file with one name a line.

    Raises:
        DetlossError: none of them, or a number above `most`.
    """
    if re.fullmatch(r"\d{1,6}", option, re.ASCII):
        count = int(option)
        if not 1 <= count <= most:
            hint = f"1 to {most:,}" + (f", or {raised('names', count)}" if count else "")
            raise DetlossError(f"{option} classes", where="--names", hint=hint)
        return numbered(count, "option")
    names = tuple(read_lines(option)) if os.path.isfile(option) else tuple(part.strip() for part in option.split(","))
    if not all(names) or not names:
        raise DetlossError("an empty class name", where="--names", hint="a number, a,b,c or a file with one name a line")
    return Classes(names, len(names), "option")


def from_yaml(path: str, nc: Node | None, names: Node | None, most: int = DEFAULT.names) -> Classes:
    """The class names of a data.yaml. most: names that are read.

    Differs: yolov5 7.0 takes len(names) and ignores nc, before 6.2 it insists on nc, ultralytics stops when they differ.
    """
    faults: list[Fault] = []
    count = _count(path, nc, faults, most)
    if names is None or names.missing:
        if count is not None:
            faults.append(Fault("data-names-absent", path, nc.line if nc else None, None, "", str(count)))
            return numbered(count, "nc", tuple(faults))
        if nc is None or nc.missing:
            faults.append(Fault("data-key-missing", path, None, None, "names", "names"))
        return Classes((), None, "inferred", tuple(faults))
    if names.refused:
        return Classes((), None, "inferred", tuple(faults))
    nodes = _by_id(path, names, faults, most)
    if nodes is None:
        return Classes((), None, "inferred", tuple(faults))
    texts = tuple(_name(path, node, faults) for node in nodes)
    _twice(path, nodes, faults)
    if nc is not None and count is not None and count != len(texts):
        faults.append(Fault("data-nc-names", path, nc.line, nc.column, nc.text, str(len(texts))))
    certain = nc is None or nc.missing or count == len(texts)
    return Classes(texts, len(texts) if certain else None, "names", tuple(faults))


def _count(path: str, nc: Node | None, faults: list[Fault], most: int) -> int | None:
    if nc is None or nc.missing or nc.refused:
        return None
    if nc.kind == "scalar" and type(nc.value) is int and 1 <= nc.value <= most:
        if odd := surprise(nc):
            faults.append(Fault("yaml-word", path, nc.line, nc.column, nc.text, f"{odd}: {nc.value}"))
        return nc.value
    shape = {"scalar": "", "sequence": "a list", "mapping": "a mapping"}[nc.kind]
    faults.append(Fault("data-nc-value", path, nc.line, nc.column, nc.text, shape))
    return None


def _by_id(path: str, names: Node, faults: list[Fault], most: int) -> tuple[Node, ...] | None:
    """The nodes of the names in the order of their ids, None if the ids are not 0, 1, 2 …"""
    total = len(names.items) or len(names.entries)
    if names.kind == "scalar" or not total or total > most:
        detail = "text" if names.kind == "scalar" else f"{total:,} names"
        faults.append(Fault("data-names-form", path, names.line, names.column, names.text, detail))
        return None
    if names.kind == "sequence":
        return names.items
    by_id: dict[int, Node] = {}
    for key, value in names.entries:
        if type(key.value) is not int:
            faults.append(Fault("data-names-key", path, key.line, key.column, key.text))
            return None
        if odd := surprise(key):
            faults.append(Fault("yaml-word", path, key.line, key.column, key.text, f"{odd}: {key.value}"))
        by_id[key.value] = value
    for expected, number in enumerate(sorted(by_id)):
        if number != expected:
            key = next(key for key, _ in names.entries if key.value == number)
            faults.append(Fault("data-names-gap", path, key.line, key.column, key.text, str(expected)))
            return None
    return tuple(by_id[number] for number in range(len(by_id)))


def _name(path: str, node: Node, faults: list[Fault]) -> str:
    if node.kind != "scalar":
        faults.append(Fault("data-name-not-text", path, node.line, node.column, "", f"a {node.kind}"))
        return ""
    if node.refused:
        return node.text
    if isinstance(node.value, str):
        if CONTROL.search(node.value) or not node.value.strip():
            faults.append(Fault("data-name-control", path, node.line, node.column, node.value, "" if node.value.strip() else "empty"))
        return node.value
    read = "nothing" if node.value is None else str(node.value)
    kind = "data-name-number" if read == node.text else "data-name-not-text"
    faults.append(Fault(kind, path, node.line, node.column, node.text, f"{type(node.value).__name__} {read}"))
    return node.text


def _twice(path: str, nodes: tuple[Node, ...], faults: list[Fault]) -> None:
    first: dict[str, int] = {}
    for number, node in enumerate(nodes):
        if node.kind == "scalar" and first.setdefault(node.text, number) != number:
            faults.append(Fault("data-name-twice", path, node.line, node.column, node.text, f"{first[node.text]} and {number}"))
