"""A mutator for bytes: small damage, foreign pieces, and the words that parsers stumble over."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

WORDS = (
    b"nan", b"inf", b"-inf", b"1e400", b"1e-400", b"1e999999999", b"-0", b"0x1F", b"1_0", b"1,5", b"\xef\xbc\x91", b"\xd9\xa1", b"9" * 400,
    b"0." + b"0" * 300 + b"1", b".", b"-", b"+.5", b"1.", b"80", b"-1", b"16777217", b"99999999999999999999", b"2.5", b"1.0000001",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\x85", b"\x0b", b"\x0c", b"\x1c", b"\xc3",
    b"\xff", b"\xed\xa0\x80", b"\r", b"\r\n", b"\n", b"\n\n", b"\t", b"\xc2\xa0", b" ", b"  ", b"#", b"//", b";", b"|",
    b"<<: *a", b"&a ", b"*a", b"!!python/object/apply:os.system ['id']", b"!!binary ", b"!x ", b"? ", b"- ", b": ", b"[", b"]", b"{", b"}",
    b",", b"'", b'"', b"|\n  ", b">-\n", b"---\n", b"...\n", b"%YAML 1.1\n", b"%TAG ! tag:\n", b"@", b"`", b"no", b"010",
    b"12:30:45", b"2020-01-02", b"~",
    b"names:", b"nc: ", b"train: ", b"path: ../../..", b"download: |\n  import os\n", b"1e-3", b"\\x00", b"\\ud800", b"\"\\ud800\"",
    b"\x00" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"<i8", b"|O", b"[[]]", b"null", b"true",
)  # fmt: skip
REPEATED = 64 << 10


def mutants(seeds: Sequence[bytes], draw: random.Random) -> Iterator[bytes]:
    """Endless; each differs from a seed, or from an earlier mutant, by one to eight steps."""
    pool = list(seeds)
    while True:
        data = bytearray(draw.choice(pool))
        for _ in range(1 << draw.randrange(4)):
            data = _step(data, pool, draw)
        if len(data) < 4096 and draw.random() < 0.02:
            pool[draw.randrange(len(seeds)) if len(pool) > 4 * len(seeds) else len(pool) :] = [bytes(data)]
        yield bytes(data)


def _step(data: bytearray, pool: Sequence[bytes], draw: random.Random) -> bytearray:
    at = draw.randrange(len(data) + 1)
    end = min(len(data), at + draw.randrange(1, 20))
    match draw.randrange(10):
        case 0 if at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        case 1 if at < len(data):
            data[at] = draw.randrange(256)
        case 2:
            del data[at:end]
        case 3:
            data[at:at] = data[at:end]
        case 4:
            data[at:end] = draw.choice(WORDS)
        case 5:
            other = draw.choice(pool)
            data = data[:at] + other[draw.randrange(len(other) + 1) :]
        case 6:
            lines = data.split(b"\n")
            draw.shuffle(lines)
            data = bytearray(b"\n".join(lines))
        case 7 if draw.random() < 0.02:
            word = bytes(data[at:end]) or b" "
            data[at:at] = word * (REPEATED // len(word))
        case 8:
            del data[at:]
        case _:
            data[at:at] = draw.choice(WORDS)
    return data
