"""How much of an input is read before the reader stops and says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on what one input may ask for.

    label_bytes, line_bytes, list_bytes: bytes. rows: rows of one label file. names: class names, and so the bound on class ids
    where nothing says how many classes there are. files: files of one data set. depth: folders below a source.
    """

    label_bytes: int = 16 << 20
    line_bytes: int = 64 << 10
    list_bytes: int = 1 << 30
    rows: int = 100_000
    names: int = 100_000
    files: int = 10_000_000
    depth: int = 1_000


DEFAULT = Limits()
# The kinds of fault that say that a limit left something unread.
UNREAD_KINDS = frozenset({"label-too-big", "line-too-long", "too-many-rows", "too-many-files", "list-too-big", "folder-too-deep"})
