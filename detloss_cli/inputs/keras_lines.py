"""keras-yolo3 annotation lines: a picture, then `x1,y1,x2,y2,class` for each box, whole pixels, apart by blanks."""

from __future__ import annotations

import os
import re
from pathlib import Path

from detloss_cli.inputs.annotated import Annotated
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.image_list import resolve_line
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.pairing import is_inside
from detloss_cli.inputs.sizes import find_sizes

BOX = re.compile(r"-?\d{1,9},-?\d{1,9},-?\d{1,9},-?\d{1,9},-?\d{1,9}\Z", re.ASCII)


def read_keras(
    file: str,
    split: str,
    root: str,
    num_classes: int | None,
    image_sizes: Path | None,
    limits: Limits,
    *,
    allow_outside: bool = False,
    accepts: tuple[str, ...] = (),
) -> Annotated:
    """Read annotation lines. Pixels need the size of their picture: its header is read, unless `image_sizes` lists it.

    Args:
        file: the lines. split: the split that they belong to. root: resolved; a picture that leaves it is a fault.
        num_classes: C, None if unknown. accepts: kinds of error with which a box is trained all the same.
    """
    found = Annotated(file, accepts)
    data = read_file(os.path.realpath(file), limits.list_bytes)
    if isinstance(data, Refused):
        kind = "list-too-big" if data.kind == "label-too-big" else data.kind
        found.faults.append(Fault(kind, file, None, None, "", data.detail))
        return found
    lines: list[tuple[int, str]] = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r")
        if not text.strip():
            continue
        if len(raw) > limits.line_bytes:
            found.faults.append(Fault("line-too-long", file, number, 1, text[:40], str(len(raw))))
            continue
        name = text.split()[0]
        picture = resolve_line(name, os.path.dirname(file), root)
        if "\0" in name or not (allow_outside or is_inside(picture, root)):
            found.faults.append(Fault("list-line-outside", file, number, 1, name[:80], root))
            continue
        found.add_picture(picture, split, 0, 0)
        lines.append((number, text))
    width, height, faults = find_sizes(found.pictures, root, True, image_sizes)
    found.width, found.height = width.tolist(), height.tolist()
    found.faults.extend(faults)
    for index, (number, text) in enumerate(lines):
        _line(found, index, number, text, num_classes, limits.names)
    return found


def _line(found: Annotated, index: int, number: int, text: str, num_classes: int | None, max_class: int) -> None:
    tokens = [(match.start() + 1, match.group()) for match in re.finditer(r"\S+", text)][1:]
    found.rows[index] = len(tokens)
    if not found.width[index]:
        # without a size pixels are no part of anything; the header's fault says why
        found.skipped.add(index)
        found.lost["image-unreadable"] = found.lost.get("image-unreadable", 0) + len(tokens)
        return
    for column, token in tokens:
        if not BOX.match(token):
            found.lose("annotation-box", number, column, token, "not x1,y1,x2,y2,class in whole pixels")
            continue
        *corners, cls = (int(part) for part in token.split(","))
        if cls < 0 or (num_classes is not None and cls >= num_classes):
            found.lose("class-out-of-range", number, column, str(cls), "" if num_classes is None else str(num_classes))
        elif num_classes is None and cls >= max_class:
            found.lose("class-huge", number, column, str(cls), str(max_class))
        else:
            found.add_box(index, number, cls, corners, (number, column), token)
