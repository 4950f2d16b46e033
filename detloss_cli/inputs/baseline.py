"""A baseline: the figures of a run that was good enough, and the findings that were known then."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.small_file import read_bytes

VERSION = 1
MAX_BYTES = 256 << 20
Key = tuple[str, str, str]  # path below the root, rule, digest of the row


@dataclass(frozen=True, slots=True)
class Baseline:
    """path: of the file. figures: by name. settings: what they were measured with, as text. known: how often each finding was there."""

    path: str
    figures: Mapping[str, float]
    settings: Mapping[str, str]
    known: Mapping[Key, int]


def digest(text: str) -> str:
    """A row by its words: blanks between them and the number of its line do not count."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def read_baseline(path: str) -> Baseline:
    """Read the file that `written` made.

    Raises:
        DetlossError: it cannot be opened or is no baseline.
    """
    body = read_bytes(path, max_bytes=MAX_BYTES)
    hint = "make it with detloss check --write-baseline"
    try:
        whole = json.loads(body or b"")
        if whole["baseline_version"] != VERSION:
            raise DetlossError(f"a baseline of version {whole['baseline_version']}, {VERSION} is known", where=path, hint=hint)
        figures = {str(name): float(value) for name, value in whole["figures"].items()}
        if not all(math.isfinite(value) for value in figures.values()):
            raise ValueError("a figure is not finite")
        settings = {str(name): str(value) for name, value in whole["settings"].items()}
        known = {(str(one["path"]), str(one["rule"]), str(one["row"])): int(one["count"]) for one in whole["findings"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DetlossError(f"no baseline: {type(error).__name__}: {error}", where=path, hint=hint) from error
    return Baseline(path, figures, settings, known)


def written(figures: Mapping[str, float], settings: Mapping[str, str], known: Mapping[Key, int]) -> str:
    """The text of a baseline, sorted: a line a finding, so that a change of it reads well in a diff."""
    rows = [{"path": path, "rule": rule, "row": row, "count": count} for (path, rule, row), count in sorted(known.items())]
    lines = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    parts: dict[str, Any] = {
        "baseline_version": VERSION,
        "settings": dict(sorted(settings.items())),
        "figures": dict(sorted(figures.items())),
    }
    head = json.dumps(parts, indent=2, allow_nan=False).removesuffix("\n}")
    return f'{head},\n  "findings": [\n{lines}\n  ]\n}}\n' if rows else f'{head},\n  "findings": []\n}}\n'
