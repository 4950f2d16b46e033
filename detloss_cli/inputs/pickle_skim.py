"""The same as `pickle_walk` in a fraction of the time: a compiled expression passes what neither imports nor names anything."""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Collection
from functools import partial

from detloss_cli.inputs.pickle_walk import (
    FOREIGN,
    IMPORTS,
    PUTS,
    SILENT,
    STRINGS,
    Pair,
    Pickled,
    TooLong,
    Words,
    imported,
    picture_name,
    pushed,
    walk,
)
from detloss_cli.inputs.scan import PICTURES

# Opcodes that one match passes: the expression remembers each of them until it is done.
RUN = 4096
# A longer integer is left to `pickletools`.
LONG_BYTES = 9
# Strings that are looked at together.
TEXTS = 16_384
# More than there are in any cache that is small enough to be looked through.
MOST_TEXTS = 1 << 20
# Stands between them: no end of it is its beginning, so it is found nowhere else but inside a string that holds it.
BETWEEN = "\n\x1f\x1e\x1d\x1c"
# One opcode in so many bytes may be gone through alone; where there are more, the plain way is the shorter one.
BYTES_A_STEP = 32
# A larger pickle has no plain way: arrays and paths make up most of it, and each is passed at once.
PLAIN = 4 << 20
# Opcodes that are gone through alone in one of that size; arrays that are too long for the expression are among them.
MOST_STEPS = 250_000


def look_through(data: bytes, known: Collection[str] | None = None) -> Pickled:
    """The imports and picture names of a pickle. Runs nothing; time and memory are linear in the bytes, and bounded, whatever they say.

    Args:
        known: imports to pass over; any other settles what the pickle is, and nothing is looked at behind it. None: all are listed.

    Raises:
        ValueError: the pickle is cut short or broken. TooLong: there is more in it than in any cache.
    """
    skim = _Skim(data, known)
    try:
        skim.run()
    except TooLong:
        if len(data) > PLAIN:
            raise
        return walk(data, known)
    except ValueError:
        picture_names(skim.texts)  # a string that cannot be decoded stands before what was found broken
        raise
    return Pickled(skim.names, skim.pictures | picture_names(skim.texts))


class _Steps:
    """Opcodes that may still be gone through alone."""

    def __init__(self, data: bytes) -> None:
        self._left = RUN + len(data) // BYTES_A_STEP if len(data) <= PLAIN else MOST_STEPS

    def take(self) -> None:
        """One of them.

        Raises:
            TooLong: there is none left.
        """
        self._left -= 1
        if self._left < 0:
            raise TooLong("too many opcodes")


class _Stream(io.BytesIO):
    """What an opcode is read from: a text of many megabytes takes four times as much once it is decoded."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > PLAIN:
            raise TooLong("too long an argument")
        return super().read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(PLAIN + 1)
        if len(line) > PLAIN:
            raise TooLong("too long an argument")
        return line


class _Skim:
    """names, pictures: as in `Pickled`. texts: strings in UTF-8, if they are valid, that have not been looked at yet."""

    def __init__(self, data: bytes, known: Collection[str] | None) -> None:
        self.names, self.pictures, self.texts = set[str](), set[str](), list[bytes]()
        self._data, self._stream, self._known, self._steps = data, _Stream(data), known, _Steps(data)
        self._opcodes = pickletools.genops(self._stream)
        self._behind = _Behind(data, self._steps)
        self._seen = 0
        self._passing, self._header = _passing(old=False), 2
        # The last two values that were pushed stand no further back than the string before the last one, or the last import.
        self._before = self._last = 0

    def run(self) -> None:
        """Up to the end of the pickle, or an import that is not known.

        Raises:
            ValueError: it is broken. TooLong: too much of it would have to be gone through by the opcode, or it has too many strings.
        """
        data, at = self._data, 0
        while True:
            at = self._pass(at)
            self._steps.take()
            if (end := _end_of_counted(data, at)) <= len(data):
                if data.startswith(b"X", at):
                    self._long_text(at + 5, end)
                at = end
                continue
            self._stream.seek(at)
            opcode, value, _ = next(self._opcodes)
            if opcode.name == "STOP" or self._settled(opcode.name, value, at):
                return
            at = self._stream.tell()

    def _long_text(self, start: int, end: int) -> None:
        """A string that the expression does not pass; in protocol 2 every long array is one."""
        if end - start > PLAIN:
            raise TooLong("too long an argument")
        picture = picture_name(self._data[start:end].decode("utf-8", "surrogatepass"))
        if picture is not None:
            self.pictures.add(picture)

    def _pass(self, at: int) -> int:
        """Where the next opcode stands that the expression does not pass."""
        texts, header = self.texts, self._header
        for match in self._passing.finditer(self._data, at):  # each starts where the one before it ended, as it fits everywhere
            if match[1] is None:
                return match.end()
            texts.append(match[1][header:])
            self._before, self._last = self._last, match.start()
            if len(texts) >= TEXTS:
                self._seen += len(texts)
                if self._seen > MOST_TEXTS:
                    raise TooLong("too many strings")
                self.pictures |= picture_names(texts)
                texts.clear()
        return at

    def _settled(self, name: str, value: object, at: int) -> bool:
        """One opcode, its argument and its place; True for an import that is not known."""
        if name in IMPORTS or name in FOREIGN:
            thing = imported(name, value, self._behind.top(self._before, at) if name == "STACK_GLOBAL" else (None, None))
            self.names.add(thing)
            self._before = self._last = at
            return self._known is not None and thing not in self._known
        if name in STRINGS and isinstance(value, str):
            self.texts.append(value.encode("utf-8", "surrogatepass"))
        elif name in PUTS and not self._behind.rewritten:
            self._behind.rewritten = True
            self._passing, self._header = _passing(old=True), 5
        return False


def _end_of_counted(data: bytes, at: int) -> int:
    """Where a BINBYTES or BINUNICODE opcode ends; beyond the end of the data for any other."""
    return at + 5 + int.from_bytes(data[at + 1 : at + 5], "little") if data.startswith((b"B", b"X"), at) else len(data) + 1


class _Behind:
    """What an import takes from the opcodes behind it, which are then gone through again: once for the stack, once for the memo.

    rewritten: True if an entry of the memo may have been set twice.
    """

    def __init__(self, data: bytes, steps: _Steps) -> None:
        self.rewritten = False
        self._steps = steps
        self._window, self._stream = _Stream(data), _Stream(data)
        self._opcodes = pickletools.genops(self._stream)
        self._words = Words()

    def top(self, start: int, end: int) -> Pair:
        """The last two values pushed before `end`. start: an opcode with both behind it, or the beginning."""
        first: tuple[str, object, int] = ("NONE", None, start)
        second = first
        self._window.seek(start)
        for opcode, value, at in pickletools.genops(self._window):
            if at is None or at >= end:
                break
            self._steps.take()
            if opcode.name not in SILENT:
                first, second = second, (opcode.name, value, at)
        return self._pushed(*first), self._pushed(*second)

    def _pushed(self, name: str, value: object, at: int) -> str | None:
        return pushed(name, value, partial(self._entry, at))

    def _entry(self, end: int, number: int) -> str | None:
        """An entry of the memo as it was at `end`, which is never less than before. Where none is set twice the first is the one."""
        words = self._words
        while self._stream.tell() < end and (self.rewritten or number not in words.memo):
            self._steps.take()
            opcode, value, _ = next(self._opcodes)
            words.take(opcode.name, value)
        return words.memo.get(number)


def _passing(old: bool) -> re.Pattern[bytes]:
    """Up to `RUN` opcodes of no interest, then a short string, if there is one: its whole opcode is group 1.

    It fits everywhere, if with nothing, and never goes back: what follows a part that fitted need not be there.

    Args:
        old: for protocols below 4, whose strings have four bytes of length and whose memo is numbered.
    """
    stops = IMPORTS | FOREIGN | {"STOP"} | (frozenset() if old else PUTS)
    by_size: dict[int, bytes] = {}
    for opcode in pickletools.opcodes:
        size = opcode.arg.n if opcode.arg else 0
        if size >= 0 and opcode.name not in stops:
            by_size[size] = by_size.get(size, b"") + _byte(ord(opcode.code))
    bare = b"[%b]" % by_size.pop(0)
    with_argument = [b"[%b]%b" % (codes, b"." * size) for size, codes in sorted(by_size.items())]
    with_argument += [_counted(b"C", 256), _counted(b"\x8a", LONG_BYTES)]
    run = b"|".join([*(b"%b%b*+" % (each, bare) for each in with_argument), bare + b"++"])
    string = _counted(b"X", 256, b"\0\0\0") if old else _counted(b"\x8c", 256)
    return re.compile(b"(?s)(?:%b){0,%d}(%b)?" % (run, RUN, string))


def _counted(code: bytes, most: int, high: bytes = b"") -> bytes:
    """An opcode, one byte for the length of its argument, the bytes of the length above it, and the argument; shorter than `most`."""
    lengths = b"|".join(_byte(size) + high.replace(b"\0", rb"\x00") + b".{%d}+" % size for size in range(most))
    return b"%b(?:%b)" % (_byte(code[0]), lengths)


def _byte(value: int) -> bytes:
    return rb"\x%02x" % value


def picture_names(texts: list[bytes]) -> set[str]:
    """File names of the pictures among strings in UTF-8.

    Raises:
        UnicodeDecodeError: one of them is no UTF-8.
    """
    joined = BETWEEN.encode().join(texts).decode("utf-8", "surrogatepass").replace("\\", "/")
    found = joined.split(BETWEEN)
    if len(found) != len(texts):  # one of them holds it
        found = [text.decode("utf-8", "surrogatepass").replace("\\", "/") for text in texts]
    return {text.rpartition("/")[2] for text in found if text.rpartition(".")[2].lower() in PICTURES}
