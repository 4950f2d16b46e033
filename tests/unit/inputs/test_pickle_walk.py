"""What a pickle would import is told from its opcodes, or said to be unknown."""

from __future__ import annotations

import codecs
import pickle
from math import factorial

import pytest

from detloss_cli.inputs.foreign_cache import ARRAYS
from detloss_cli.inputs.pickle_walk import walk

FRAME = b"\x95" + bytes(8)
PROTO = b"\x80\x04"
# A pickle that looks like it imports this, as far as the last two strings go.
HARMLESS = b"\x8c\x05numpy\x8c\x07ndarray"


def text(word: str) -> bytes:
    return b"\x8c" + bytes([len(word)]) + word.encode()


def from_call(word: str) -> bytes:
    """A string that only running the pickle makes: what an array needs turns letters round."""
    return text("_codecs") + text("encode") + b"\x93" + text(codecs.encode(word, "rot13")) + text("rot13") + b"\x86R\x94"


def test_a_string_that_hides_the_import_is_no_way_around() -> None:
    # io, open, numpy, ndarray, drop the last two, import what is left
    hidden = b"\x80\x04\x8c\x02io\x8c\x04open\x8c\x05numpy\x8c\x07ndarray00\x93."
    assert walk(hidden).names - ARRAYS == {"pop opcode", "stack_global opcode"}
    swapped = b"\x80\x02X\x05\x00\x00\x00numpyq\x00X\x02\x00\x00\x00ioq\x00X\x04\x00\x00\x00openq\x01h\x00h\x01\x93."
    assert walk(swapped).names == {"io open"}


@pytest.mark.parametrize("between", [FRAME, PROTO, b""])
def test_what_stands_between_a_string_and_its_memo_entry_hides_nothing(between: bytes) -> None:
    body = (
        PROTO
        + b"("
        + text("math")
        + between
        + b"\x94"
        + text("factorial")
        + between
        + b"\x94"
        + HARMLESS
        + b"h\x00h\x01"
        + between
        + b"\x93t."
    )
    assert pickle.loads(body)[-1] is factorial
    assert walk(body).names == {"math factorial"}


def test_words_that_a_call_makes_are_no_way_around() -> None:
    body = PROTO + b"(" + from_call("math") + from_call("factorial") + HARMLESS + b"h\x00h\x01\x93t."
    assert pickle.loads(body)[-1] is factorial
    assert walk(body).names - ARRAYS == {"stack_global opcode"}
    half = PROTO + b"(" + from_call("math") + HARMLESS + b"h\x00" + text("factorial") + b"\x93t."
    assert pickle.loads(half)[-1] is factorial
    assert walk(half).names - ARRAYS == {"stack_global opcode"}
