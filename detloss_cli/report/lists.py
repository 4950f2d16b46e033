"""Pictures as a list that a trainer reads, and the pictures with the most findings: what a user can act on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from detloss_cli.errors import DetlossError
from detloss_cli.finding import Finding
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.relative import relative
from detloss_cli.inputs.small_file import read_bytes

if TYPE_CHECKING:
    from detloss_cli.facts.labels import PictureFacts

Touched = Mapping[int, Sequence[Finding]]


def touched(pictures: PictureFacts, findings: Iterable[Finding]) -> dict[int, list[Finding]]:
    """Index of a picture -> findings at it or at its label file, in the order of the pictures."""
    placed = [(finding.where.path, finding) for finding in findings if finding.where is not None]
    owner: dict[str, list[int]] = {path: [] for path, _ in placed if path not in ("", pictures.annotated)}
    for places in (pictures.path, pictures.label_path):
        for number, place in enumerate(places):
            if place in owner and number not in owner[place][-1:]:
                owner[place].append(number)
    found: dict[int, list[Finding]] = {}
    for path, finding in placed:
        for number in owner.get(path, ()):
            found.setdefault(number, []).append(finding)
    return dict(sorted(found.items()))


def worst(pictures: PictureFacts, found: Touched, root: str, most: int) -> list[dict[str, Any]]:
    """The `most` pictures with the most errors, then warnings, then infos."""
    rows: list[tuple[tuple[int, int, int, str], dict[str, Any]]] = []
    for number, own in found.items():
        by = Counter(finding.severity for finding in own)
        rules = Counter(finding.rule for finding in own)
        order = (-by["error"], -by["warning"], -by["info"], relative(pictures.path[number], root))
        rows.append(
            (
                order,
                {
                    "path": order[3],
                    "label_path": relative(pictures.label_path[number], root) if pictures.label_path[number] else None,
                    "errors": by["error"],
                    "warnings": by["warning"],
                    "infos": by["info"],
                    "by_rule": dict(sorted(rules.items(), key=lambda item: (-item[1], item[0]))),
                },
            )
        )
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])[:most]]


def picture_list(pictures: PictureFacts, chosen: Iterable[int], target: str) -> bytes:
    """One picture a line, as yolov5, yolov7 and ultralytics read it: `./` is the folder of the list, anything else stands as it is.

    Args:
        chosen: indices of pictures. target: the list file.

    Raises:
        DetlossError: a name with a line break.
    """
    return ranked(((pictures.path[number], None) for number in chosen), target)


def ranked(places: Iterable[tuple[str, int | None]], target: str) -> bytes:
    """One file a line in the order given, as `picture_list` writes them; with a line number `./labels/a.txt:3`, as editors open it.

    Raises:
        DetlossError: a name with a line break.
    """
    home = os.path.realpath(os.path.dirname(target) or ".")
    lines = []
    for place, line in places:
        path = os.path.abspath(place)
        if "\n" in path or "\r" in path:
            raise DetlossError("a name with a line break cannot stand in a list", where=path, hint="rename the file")
        below = relative(path, home)
        number = b"" if line is None else f":{line}".encode()
        lines.append(os.fsencode(below if os.path.isabs(below) else f"./{below}") + number + b"\n")
    return b"".join(lines)


def annotation_list(pictures: PictureFacts, findings: Iterable[Finding]) -> bytes:
    """The lines of a keras-yolo3 file that no finding stands at, as they are.

    Raises:
        DetlossError: the file has grown beyond what is read at once.
    """
    bad = {finding.where.line for finding in findings if finding.where is not None and finding.where.path == pictures.annotated}
    body = read_bytes(pictures.annotated, max_bytes=DEFAULT.list_bytes)
    if body is None:
        raise DetlossError("too large to be written again", where=pictures.annotated, hint="split it first")
    lines = body.split(b"\n")
    return b"".join(line + b"\n" for number, line in enumerate(lines, 1) if line.strip() and number not in bad)


def clean(pictures: PictureFacts, found: Touched, splits: Sequence[str] | None) -> list[int]:
    """Pictures without a finding, of some splits; of `train` if None is given and there is one.

    Raises:
        DetlossError: there are labels only.
    """
    if pictures.path and all(path == label for path, label in zip(pictures.path, pictures.label_path, strict=True)):
        raise DetlossError("only label files are at hand, a list needs pictures", hint="give DATA that has its pictures beside it")
    wanted = set(splits) if splits is not None else {"train"} if "train" in pictures.split else set(pictures.split)
    return [number for number, split in enumerate(pictures.split) if split in wanted and number not in found]
