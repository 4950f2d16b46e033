"""Decimal numbers in a text to float64, all at once and exactly: eight digits a step, in the bytes of one 64-bit word.

A number of at most 15 digits is a whole number below 2**53 over a power of ten that float64 holds exactly, so one division rounds it as
correctly as any parser of text does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORD = 8
# Longest token that is read: two words, of which the dot takes a byte.
MOST_BYTES = 2 * WORD
# Bytes that have to stand before the first token.
MARGIN = MOST_BYTES
POWERS = 10.0 ** np.arange(MOST_BYTES)
ALL, BYTE = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(8)
Words = NDArray[np.uint64]


def read_decimals(text: bytes, end: NDArray[np.int64], length: NDArray[np.int64], dot: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) the values of N tokens.

    Args:
        text: ASCII, with `MARGIN` bytes before the first token.
        end: (N,) place behind each token. length: (N,) bytes, 1 to 15, or 16 with a dot. What they are made of has been checked.
        dot: (N,) place of its dot, -1 without one.
    """
    words = np.ndarray((len(text) - WORD + 1,), dtype="<u8", buffer=text, strides=(1,))
    length, decimals = _one_for_all(length), _one_for_all(np.where(dot >= 0, end - 1 - dot, -1))
    long = length > WORD
    if not long.any():
        digits = _short(words, end, length, decimals)
    elif long.all():
        digits = _long(words, end, length, decimals)
    else:
        length, decimals = np.broadcast_to(length, end.shape), np.broadcast_to(decimals, end.shape)
        digits = np.empty(len(end), dtype=np.uint64)
        digits[~long] = _short(words, end[~long], length[~long], decimals[~long])
        digits[long] = _long(words, end[long], length[long], decimals[long])
    values = digits.astype(np.float64)
    values /= POWERS[np.maximum(decimals, 0)]
    return values


def _one_for_all(column: NDArray[np.int64]) -> NDArray[np.int64]:
    """(1,) where all are the same, as in most files that a program wrote: it costs nothing to take it for all."""
    return column[:1] if len(column) and column.min() == column.max() else column


def _short(words: Words, end: NDArray[np.int64], length: NDArray[np.int64], decimals: NDArray[np.int64]) -> Words:
    """The digits of tokens of up to eight bytes as a number."""
    word = words[end - WORD] & _last(length)
    return _number(_without_dot(word, decimals))


def _long(words: Words, end: NDArray[np.int64], length: NDArray[np.int64], decimals: NDArray[np.int64]) -> Words:
    """The same for nine to sixteen bytes."""
    low, high = words[end - WORD], words[end - MOST_BYTES] & _last(length - WORD)
    in_low = (decimals >= 0) & (decimals < WORD)
    # where the dot stood in the later word, the earlier one moves up into it
    later = np.where(in_low, _without_dot(low, np.where(in_low, decimals, -1)) | (high >> np.uint64(56)), low)
    earlier = np.where(in_low, high << BYTE, _without_dot(high, np.where(decimals >= WORD, decimals - WORD, -1)))
    return _number(earlier) * np.uint64(10**WORD) + _number(later)


def _last(length: NDArray[np.int64]) -> Words:
    """A mask of the last bytes of a word."""
    mask: Words = ALL << (np.uint64(64) - length.astype(np.uint64) * BYTE)
    return mask


def _without_dot(word: Words, decimals: NDArray[np.int64]) -> Words:
    """A word whose bytes before the dot have moved over it. decimals: (N,) bytes behind the dot, below 8; -1 without one."""
    if not len(decimals):
        return word
    least = decimals.min()
    if least == decimals.max() and least < 0:
        return word
    behind = (ALL << ((np.uint64(7) - np.maximum(decimals, 0).astype(np.uint64)) * BYTE)) << BYTE
    moved: Words = (word & behind) | ((word & (~behind >> BYTE)) << BYTE)
    return moved if least >= 0 else np.where(decimals >= 0, moved, word)


def _number(word: Words) -> Words:
    """Eight digits, the last in the highest byte, as a number; a byte of zero is the digit 0."""
    word = word & np.uint64(0x0F0F0F0F0F0F0F0F)
    for size, base, keep in ((8, 10, 0x00FF00FF00FF00FF), (16, 100, 0x0000FFFF0000FFFF), (32, 10000, 0x00000000FFFFFFFF)):
        rest = word >> np.uint64(size)
        word *= np.uint64(base)
        word += rest
        word &= np.uint64(keep)
    return word
