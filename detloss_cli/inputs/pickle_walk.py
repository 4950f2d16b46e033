"""A pickle gone through opcode by opcode, never loaded: what it would import, and the pictures it names."""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import islice

from detloss_cli.inputs.scan import PICTURES

PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
STRINGS = frozenset(opcode.name for opcode in pickletools.opcodes if "UNICODE" in opcode.name or "STRING" in opcode.name)
IMPORTS = frozenset({"GLOBAL", "INST", "STACK_GLOBAL"})
# No array needs them.
FOREIGN = frozenset({"EXT1", "EXT2", "EXT4", "POP", "POP_MARK", "DUP"})
# Opcodes that are gone through one by one, a second's work. A cache whose bytes say more has been made to cost time.
MOST_STEPS = 400_000
# They leave the stack as it is.
SILENT = PUTS | {"MEMOIZE", "FRAME", "PROTO"}

# Two values pushed one after the other, the later one last: strings, None for anything else.
Pair = tuple[str | None, str | None]


class TooLong(ValueError):
    """There is more to go through than a trainer's cache has."""


@dataclass(slots=True)
class Pickled:
    """What a pickle would do. names: what it would import, "module name". pictures: file names of pictures among its strings."""

    names: set[str] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Words:
    """What is known of a pickle's stack and memo. top: the two values pushed last. memo: number -> string, None for anything else."""

    top: Pair = (None, None)
    memo: dict[int, str | None] = field(default_factory=dict)

    def take(self, name: str, value: object) -> None:
        """One more opcode and its argument."""
        if name == "MEMOIZE":
            self.memo[len(self.memo)] = self.top[1]
        elif name in PUTS:
            self.memo[_number(value)] = self.top[1]
        elif name not in SILENT:
            self.top = self.top[1], pushed(name, value, self.memo.get)


def walk(data: bytes, known: Collection[str] | None = None) -> Pickled:
    """The plain way; `look_through` gives the same in a fraction of the time.

    Args:
        known: imports to pass over; any other settles what the pickle is, and nothing is looked at behind it. None: all are listed.

    Raises:
        ValueError: the pickle is cut short or broken. TooLong: it has more opcodes than `MOST_STEPS`.
    """
    found, words = Pickled(), Words()
    name = ""
    for opcode, value, _ in islice(pickletools.genops(data), MOST_STEPS):
        name = opcode.name
        if name in IMPORTS or name in FOREIGN:
            thing = imported(name, value, words.top)
            found.names.add(thing)
            if known is not None and thing not in known:
                return found
        if name in STRINGS and isinstance(value, str) and (picture := picture_name(value)) is not None:
            found.pictures.add(picture)
        words.take(name, value)
    if name != "STOP":
        raise TooLong("too many opcodes")
    return found


def pushed(name: str, value: object, recall: Callable[[int], str | None]) -> str | None:
    """The string that an opcode leaves on top of the stack, None for anything else. recall: what the memo holds."""
    if name in GETS:
        return recall(_number(value))
    return value if name in STRINGS and isinstance(value, str) else None


def imported(name: str, value: object, top: Pair) -> str:
    """What one of `IMPORTS` or `FOREIGN` brings in: "module name", or which opcode it is where that cannot be told.

    An import from the stack is told from strings only where they lie on top: what a call leaves there may be any string.
    """
    if name in FOREIGN or (name == "STACK_GLOBAL" and None in top):
        return f"{name.lower()} opcode"
    return f"{top[0]} {top[1]}" if name == "STACK_GLOBAL" else str(value)


def picture_name(text: str) -> str | None:
    """The file name in the path of a picture, known by its extension; None for any other text."""
    return text.replace("\\", "/").rpartition("/")[2] if text.rpartition(".")[2].lower() in PICTURES else None


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("a memo index that is no number")
    return value
