"""A run as the columns of an npz: the facts of each box one by one, everything else as JSON in one of them.

Columns of N boxes: `path`, `reason` and `text` are numbers of names in `path_names`, `reason_names`, `text_names`; `line`, `cls`;
`width`, `height` px of the network input; `positives` (N, L) by level; `slots`; `loss` (N, T) by term, as the totals count it.
`terms` (T,); `background` (T,) what no box accounts for. `run`: the rest, with its `schema_version`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from detloss_cli import __version__
from detloss_cli.errors import DetlossError
from detloss_cli.facts import (
    AssignmentFacts,
    BoxFacts,
    BoxLossFacts,
    DataFacts,
    Facts,
    GainFacts,
    LabelFacts,
    LevelFacts,
    LossFacts,
    Settings,
)
from detloss_cli.facts.box_columns import OfImage, OfSome
from detloss_cli.inputs.npz_header import Damaged
from detloss_cli.inputs.relative import relative
from detloss_cli.inputs.run_file import HOW, damaged

SCHEMA_VERSION = "1.0"
CODED = ("path", "reason", "text")
NUMBERS = {"line": "iu", "cls": "iu", "width": "f", "height": "f", "positives": "iu", "slots": "iu", **dict.fromkeys(CODED, "iu")}


@dataclass(frozen=True, slots=True)
class _Rest:
    """What of the facts is no column."""

    schema_version: str
    tool: str
    command: str
    data: DataFacts | None
    settings: Settings | None
    labels: LabelFacts | None
    levels: tuple[LevelFacts, ...] | None
    assignment: AssignmentFacts | None
    gains: tuple[GainFacts, ...] | None
    keys: dict[str, bool | float | str] | None
    loss: LossFacts | None


def columns_of(facts: Facts) -> dict[str, NDArray[Any]]:
    """A run as columns, the same for the same facts. Paths stand below the root of the data.

    Raises:
        DetlossError: nothing was assigned, so there are no boxes to keep.
    """
    boxes, root = facts.boxes, facts.data.root if facts.data is not None else ""
    if boxes is None:
        raise DetlossError("there is nothing to save: the run stopped before its targets", where="--save", hint="see its findings")
    columns: dict[str, NDArray[Any]] = {name: getattr(boxes, name) for name in NUMBERS if name not in CODED}
    columns["path"], columns["path_names"] = _of_image(boxes.path, root)
    for name, column in (("reason", boxes.reason), ("text", boxes.text)):
        columns[name], columns[f"{name}_names"] = _coded(column)
    if facts.box_loss is not None:
        told = facts.box_loss
        background = np.asarray([told.background[term] for term in told.terms])
        columns |= {"loss": told.loss, "terms": np.asarray(told.terms, dtype=np.str_), "background": background}
    rest = _Rest(SCHEMA_VERSION, f"detloss {__version__}", **{f.name: getattr(facts, f.name) for f in fields(_Rest)[2:]})
    columns["run"] = np.asarray(json.dumps(_plain(asdict(rest)), ensure_ascii=True, allow_nan=False))
    return columns


def facts_of(columns: Mapping[str, NDArray[Any]], path: str) -> Facts:
    """The facts that columns were made of.

    Args:
        path: where the columns were read.

    Raises:
        DetlossError: they are of no run, do not fit together, or are of another schema.
    """
    if "run" not in columns or columns["run"].dtype.kind != "U" or columns["run"].shape != ():
        raise DetlossError("is no run saved by detloss", where=path, hint=HOW)
    try:
        said = json.loads(str(columns["run"]))
    except (ValueError, RecursionError) as error:
        raise damaged(path) from error
    version = said.get("schema_version") if isinstance(said, dict) else None
    if not isinstance(version, str) or version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        shown = repr(version)[:20]
        raise DetlossError(f"is of schema {shown}, this detloss reads {SCHEMA_VERSION}", where=path, hint="save the run again")
    try:
        rest = TypeAdapter(_Rest).validate_python(said)
        facts = Facts(**{f.name: getattr(rest, f.name) for f in fields(_Rest)[2:]})
        if rest.loss is not None and "total" not in rest.loss.totals:
            raise Damaged("total")
        root = rest.data.root if rest.data is not None else ""
        return replace(facts, boxes=_boxes(columns, len(rest.levels or ()), root), box_loss=_box_loss(columns))
    except (ValidationError, Damaged, RecursionError) as error:
        raise damaged(path) from error


def _of_image(paths: OfImage, root: str) -> tuple[NDArray[np.int32], NDArray[np.str_]]:
    """Each path that a box has once, below the root, and its number at each box."""
    used, first, of_box = np.unique(paths.image, return_index=True, return_inverse=True)
    numbers: dict[str, int] = {}
    codes = np.zeros(len(used), dtype=np.int32)
    for place in np.argsort(first).tolist():
        codes[place] = numbers.setdefault(relative(paths.texts[int(used[place])], root), len(numbers))
    return codes[of_box], np.asarray(list(numbers), dtype=np.str_)


def _coded(column: OfSome) -> tuple[NDArray[np.int32], NDArray[np.str_]]:
    """Each text once, "" first, and its number at each box."""
    numbers, codes = {"": 0}, np.zeros(len(column), dtype=np.int32)
    for box in column.some:
        codes[box] = numbers.setdefault(column.texts[box], len(numbers))
    return codes, np.asarray(list(numbers), dtype=np.str_)


def _plain(value: Any) -> Any:
    """What JSON knows; a number that is not finite is text, which reads as that number again."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _boxes(columns: Mapping[str, NDArray[Any]], levels: int, root: str) -> BoxFacts:
    found = {name: columns[name] for name in NUMBERS if name in columns}
    rows = found["line"].shape[0] if "line" in found and found["line"].ndim == 1 else -1
    for name, kinds in NUMBERS.items():
        shape = (rows, levels) if name == "positives" else (rows,)
        if name not in found or found[name].dtype.kind not in kinds or found[name].shape != shape:
            raise Damaged(name)
    names = {name: _names(columns, name) for name in CODED}
    plain: dict[str, Any] = {name: column for name, column in found.items() if name not in CODED}
    return BoxFacts(
        path=OfImage([os.path.join(root, path) for path in names["path"]], found["path"].astype(np.int64)),
        reason=_of_some(found["reason"], names["reason"]),
        text=_of_some(found["text"], names["text"]),
        **plain,
    )


def _names(columns: Mapping[str, NDArray[Any]], name: str) -> list[str]:
    """What the numbers of a column stand for."""
    codes, names = columns[name], columns.get(f"{name}_names")
    if names is None or names.dtype.kind != "U" or names.ndim != 1:
        raise Damaged(name)
    if len(codes) and (int(codes.min()) < 0 or int(codes.max()) >= len(names)):
        raise Damaged(name)
    known: list[str] = names.tolist()
    return known


def _of_some(codes: NDArray[Any], names: Sequence[str]) -> OfSome:
    return OfSome({box: names[code] for box, code in enumerate(codes.tolist()) if names[code]}, len(codes))


def _box_loss(columns: Mapping[str, NDArray[Any]]) -> BoxLossFacts | None:
    if "loss" not in columns:
        return None
    loss, terms, background = (columns.get(name) for name in ("loss", "terms", "background"))
    if loss is None or terms is None or background is None or terms.dtype.kind != "U" or terms.ndim != 1:
        raise Damaged("terms")
    if loss.dtype.kind != "f" or loss.shape != (len(columns["line"]), len(terms)):
        raise Damaged("loss")
    if background.dtype.kind != "f" or background.shape != terms.shape:
        raise Damaged("background")
    names = tuple(terms.tolist())
    return BoxLossFacts(names, loss, dict(zip(names, background.tolist(), strict=True)))
