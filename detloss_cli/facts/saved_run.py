"""A run as a file: the facts of each box as plain columns of an npz, everything else as JSON in one of them. No pickle, ever.

Columns of N boxes: `path`, `reason` and `text` are numbers of names in `path_names`, `reason_names`, `text_names`; `line`, `cls`;
`width`, `height` px of the network input; `positives` (N, L) by level; `slots`; `loss` (N, T) by term, as the totals count it.
`terms` (T,); `background` (T,) what no box accounts for. `run`: the rest, with its `schema_version`.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
import zlib
from collections.abc import Sequence
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
from detloss_cli.inputs.limits import DEFAULT, raised
from detloss_cli.inputs.relative import relative
from detloss_cli.predictions.npz_header import Damaged, bytes_of, name_of, read_header

SUFFIX = ".npz"
SCHEMA_VERSION = "1.0"
MOST_MEMBERS = 100
HOW = "detloss compute DATA --save RUN.npz writes one"
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


def to_bytes(facts: Facts) -> bytes:
    """The npz of a run, the same bytes for the same facts. Paths stand below the root of the data.

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
    return _packed(columns)


def read_run(path: str, most: int = DEFAULT.run_bytes) -> Facts:
    """The facts of a saved run.

    Args:
        most: bytes of all columns together, in memory: boxes by the million.

    Raises:
        DetlossError: it is none, is damaged, holds pickled objects, or is of another schema.
    """
    columns = _columns(path, most)
    if "run" not in columns or columns["run"].dtype.kind != "U" or columns["run"].shape != ():
        raise DetlossError("is no run saved by detloss", where=path, hint=HOW)
    try:
        said = json.loads(str(columns["run"]))
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
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
        raise _damaged(path) from error


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


def _packed(columns: dict[str, NDArray[Any]]) -> bytes:
    """Like `numpy.savez_compressed`, without the time of day in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, column in sorted(columns.items()):
            body = io.BytesIO()
            np.lib.format.write_array(body, np.asarray(column), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), body.getvalue(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    """What JSON knows; a number that is not finite is text, which reads as that number again."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _columns(path: str, most: int) -> dict[str, NDArray[Any]]:
    if not os.path.isfile(path):
        raise DetlossError("is no regular file", where=path, hint=HOW)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            if len(members) > MOST_MEMBERS:
                raise DetlossError("is no run saved by detloss", where=path, hint=HOW)
            heads = [(member, *read_header(archive, member)) for member in members]
            held = next((name_of(member) for member, _, dtype, _, _ in heads if dtype.hasobject), None)
            if held is not None:
                raise DetlossError(f"holds pickled objects ({held!r}), which are never read", where=path, hint=HOW)
            size = sum(bytes_of(shape, dtype) for _, shape, dtype, _, _ in heads)
            if size > most:
                raise DetlossError(f"takes {size:,} bytes in memory, the limit is {most:,}", where=path, hint=raised("run_bytes", size))
            return {name_of(member): np.lib.format.read_array(archive.open(member), allow_pickle=False) for member in members}
    except zipfile.BadZipFile as error:
        raise DetlossError("is cut short, or no run saved by detloss", where=path, hint=HOW) from error
    except (Damaged, zlib.error, EOFError, OSError, ValueError, OverflowError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path) from error


def _damaged(path: str) -> DetlossError:
    return DetlossError("is damaged, or not written by detloss", where=path, hint=HOW)


def _boxes(columns: dict[str, NDArray[Any]], levels: int, root: str) -> BoxFacts:
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


def _names(columns: dict[str, NDArray[Any]], name: str) -> list[str]:
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


def _box_loss(columns: dict[str, NDArray[Any]]) -> BoxLossFacts | None:
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
