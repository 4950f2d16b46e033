"""Did you mean."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

NEIGHBOURS = 2000
ALIKE = 0.6


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant, "" if none is alike."""
    by_folded = {other.lower(): other for other in words}
    found = get_close_matches(word[:200].lower(), list(by_folded), n=1, cutoff=ALIKE)
    return by_folded[found[0]] if found else ""


def nearest_path(path: str) -> str:
    """The existing neighbour that was probably meant by a path that does not exist, at the first part that is missing; "" if none.

    What followed that part is added again where it exists there.
    """
    head, tail = os.path.split(os.path.abspath(path))
    rest = ""
    while head != os.path.dirname(head) and not os.path.isdir(head):
        rest = os.path.join(tail, rest) if rest else tail
        head, tail = os.path.split(head)
    try:
        with os.scandir(head) as entries:
            names = [entry.name for entry in islice(entries, NEIGHBOURS)]
    except OSError:
        return ""
    found = nearest(tail, sorted(name for name in names if name != tail))
    whole = os.path.join(head, found, rest) if rest else os.path.join(head, found)
    return (whole if os.path.exists(whole) else os.path.join(head, found)) if found else ""
