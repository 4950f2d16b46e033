"""A YAML document as nodes with places, and what YAML 1.1 does to plain words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Scalar = None | bool | int | float | str | datetime.date
Surprise = Literal["boolean", "octal", "sexagesimal", "date", "number as text", "underscore"]

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    value: of a scalar, as `yaml.safe_load` gives it. text: of a scalar, as written. plain: written without quotes.
    items: of a sequence. entries: of a mapping, key and value, the last of equal keys only.
    line, column: 1-based; lines are counted by LF alone. refused: a tag or alias stood here, the value is unknown.
    """

    kind: Literal["scalar", "sequence", "mapping"]
    line: int
    column: int
    value: Scalar = None
    text: str = ""
    plain: bool = False
    items: tuple[Node, ...] = ()
    entries: tuple[tuple[Node, Node], ...] = ()
    refused: bool = False

    def keyed(self) -> Iterator[tuple[str, Node, Node]]:
        """Key text, key and value of each entry of a mapping whose key is a scalar."""
        return ((key.text, key, value) for key, value in self.entries if key.kind == "scalar")

    @property
    def missing(self) -> bool:
        """True for `key:` with nothing behind it."""
        return self.kind == "scalar" and self.value is None and not self.refused


def surprise(node: Node) -> Surprise | None:
    """What YAML 1.1 made of a plain scalar that its author may not have meant; None if nothing."""
    if node.kind != "scalar" or not node.plain:
        return None
    text, value = node.text, node.value
    if isinstance(value, bool):
        return None if text.lower() in ("true", "false") else "boolean"
    if isinstance(value, datetime.date):
        return "date"
    if isinstance(value, str):
        return "number as text" if NUMBER.fullmatch(text) else None
    if not isinstance(value, int | float):
        return None
    if ":" in text:
        return "sexagesimal"
    if isinstance(value, int) and re.fullmatch(r"[+-]?0[0-7_]+", text):
        return "octal"
    return "underscore" if "_" in text else None
