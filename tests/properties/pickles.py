"""Pickles to look through: label caches as trainers write them, opcodes in any order, and what costs most time."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from detloss_cli.inputs.pickle_walk import Pickled

WORDS = (
    "numpy",
    "dtype",
    "ndarray",
    "math",
    "factorial",
    "a.jpg",
    "b/c.PNG",
    "d\\e.tif",
    "jpg",
    "x.jpg\n\x1f\x1e\x1d\x1c",
    "",
    "é.webp",
    "\ud800.bmp",
    "z" * 300,
)
NAMES = {opcode.name: opcode for opcode in pickletools.opcodes}
# Bytes that are no UTF-8, alone or together.
BROKEN = (b"\xff", b"\xc3", b"\xa9", b"a.jpg\xc3")


def label_cache(images: int, boxes: int = 3) -> dict[str, Any]:
    """What ultralytics keeps, of images with 1 to `boxes` boxes."""
    draw = np.random.default_rng(0)
    labels = []
    for number in range(images):
        rows = draw.random((1 + number % boxes, 5), dtype=np.float32)
        labels.append(
            {
                "im_file": f"/data/images/train/{number:012d}.jpg",
                "shape": (480 + number % 300, 640),
                "cls": rows[:, :1],
                "bboxes": rows[:, 1:],
                "segments": [],
                "keypoints": None,
                "normalized": True,
                "bbox_format": "xywh",
            }
        )
    return {"labels": labels, "hash": "0" * 64, "results": (images, 0, 0, 0, np.int64(images)), "msgs": [], "version": "1.0.3"}


def pickled(thing: object, protocol: int, form: str) -> bytes:
    """form: c or python, whose picklers put frames in other places, or optimized, what pickletools makes of the first."""
    if form == "python":
        out = io.BytesIO()
        pickle._Pickler(out, protocol).dump(thing)  # type: ignore[attr-defined]
        return out.getvalue()
    data = pickle.dumps(thing, protocol)
    return pickletools.optimize(data) if form == "optimized" else data


def said(way: Callable[[bytes], Pickled], data: bytes) -> Pickled | type[Exception]:
    """What a way of looking through finds, or the error it stops with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes that strings of protocol 0 should not have
        try:
            return way(data)
        except ValueError as error:
            return type(error)


def _argument(name: str) -> st.SearchStrategy[bytes]:
    """The bytes behind an opcode: mostly right, small numbers where they number the memo."""
    argument = NAMES[name].arg
    if argument is None:
        return st.just(b"")
    if name in ("BINGET", "BINPUT"):
        return st.integers(0, 3).map(lambda n: bytes([n]))
    if name in ("LONG_BINGET", "LONG_BINPUT"):
        return st.integers(0, 3).map(lambda n: struct.pack("<I", n))
    if argument.n > 0:
        return st.binary(min_size=argument.n, max_size=argument.n)
    if argument.n == -1:
        lines = st.sampled_from([b"0", b"1", b"2", b"01", b"-7", b"1.5", b"12L", b"'numpy'", b'"a.jpg"', b"x.jpg", b"dtype", b"x", b""])
        return st.lists(lines, min_size=1, max_size=2).map(lambda parts: b"".join(part + b"\n" for part in parts))
    width = {-2: "<B", -3: "<i", -4: "<I", -5: "<Q"}[argument.n]
    most = 255 if argument.n == -2 else 300
    texts = st.sampled_from(
        [*(word.encode("utf-8", "surrogatepass") for word in WORDS), *BROKEN[: 2 if "UNICODE" in name else 4], b"\0" * 9]
    )
    return texts.map(lambda text: struct.pack(width, len(text[:most])) + text[:most])


def opcodes(names: list[str]) -> st.SearchStrategy[bytes]:
    """One opcode of those named with its argument."""
    return st.sampled_from(names).flatmap(lambda name: _argument(name).map(lambda rest: NAMES[name].code.encode("latin-1") + rest))


STRINGS = ["SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"]
MEMO = ["MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "BINGET", "LONG_BINGET", "GET"]
# Imports, what they take their words from, and what may stand between.
IMPORTING = opcodes(
    [
        *["SHORT_BINUNICODE"] * 4,
        *STRINGS,
        *["MEMOIZE", "BINGET"] * 4,
        *MEMO,
        *["STACK_GLOBAL"] * 6,
        "GLOBAL",
        "FRAME",
        "PROTO",
        "MARK",
        "REDUCE",
    ]
)
# As protocol 4 has them: no entry of the memo is set twice.
MODERN = opcodes(
    [
        *["SHORT_BINUNICODE"] * 4,
        *["MEMOIZE"] * 3,
        *["BINGET"] * 3,
        *["STACK_GLOBAL"] * 2,
        "FRAME",
        "TUPLE2",
        "BININT1",
        "SHORT_BINBYTES",
        "BINBYTES",
    ]
)
ANY = opcodes(sorted(set(NAMES) - {"STOP"}))
HOSTILE = {
    "imports": b"\x93",
    "drops": b"0",
    "marks": b"(",
    "bytes": b"B\0\0\0\0",
    "empty strings": b"\x8c\0",
    "strings and drops": b"\x8c\x010" * 2 + b"0",
    "runs and imports": b"K\1" * 5000 + b"\x93",
    "memo and imports": b"\x8c\1a\x94" + b"h\0h\0\x93",
    "memo twice and imports": b"\x8c\1aq\0h\0h\0\x93",
    "last of memo and imports": b"\x8c\1a\x94j\xff\xff\xff\x7fj\xff\xff\xff\x7f\x93",
    "lines": b"Va\n",
    "old in new": b"\x8c\1aq\0X\1\0\0\0a",
    "numbers": b"I1\n",
}
