"""COCO `instances.json`: pictures, categories and boxes in pixels, in one object."""

from __future__ import annotations

import json
import os
from typing import Any

from detloss_cli.inputs.annotated import Annotated
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.limits import Limits

KEYS = ("images", "annotations", "categories")


def read_coco(file: str, split: str, num_classes: int | None, limits: Limits, *, converted: str = "") -> Annotated:
    """Read an annotation file. Category ids become class ids by their order; crowds are left out, as converters do.

    Args:
        file: the JSON. Pictures are named below its folder; none is opened.
        split: the split that all of them belong to.
        num_classes: C, None for the number of categories. converted: the JSON that stands for `file`, where that is of another format.
    """
    found = Annotated(file)
    data = read_file(os.path.realpath(converted or file), limits.list_bytes)
    if isinstance(data, Refused):
        kind = "list-too-big" if data.kind == "label-too-big" else data.kind
        found.faults.append(Fault(kind, file, None, None, "", data.detail))
        return found
    content = _object(found, data)
    if content is None:
        return found
    classes = _categories(found, content["categories"])
    if converted:  # the ids are those of the conversion
        found.faults = [fault for fault in found.faults if fault.kind != "category-renumbered"]
    images = _images(found, content["images"], split)
    seen: set[object] = set()
    for number, annotation in enumerate(content["annotations"], 1):
        _annotation(found, number, annotation, images, classes, seen)
    if num_classes is not None:
        beyond = [box for box in found.boxes if box[2] >= num_classes]
        found.boxes = [box for box in found.boxes if box[2] < num_classes]
        for box in beyond:
            found.lose("class-out-of-range", None, None, str(box[2]), str(num_classes), found.pictures[box[0]])
    return found


def _object(found: Annotated, data: bytes) -> dict[str, list[Any]] | None:
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=lambda pairs: _unique(found, pairs))
    except json.JSONDecodeError as error:
        found.faults.append(Fault("annotation-syntax", found.file, error.lineno, error.colno, "", error.msg))
        return None
    except RecursionError:
        found.faults.append(Fault("annotation-syntax", found.file, None, None, "", "it nests deeper than any annotation"))
        return None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found.faults.append(Fault("annotation-syntax", found.file, line, None, "", "not UTF-8 text"))
        return None
    except ValueError:  # of int(): more digits than Python reads
        found.faults.append(Fault("annotation-syntax", found.file, None, None, "", "a number of thousands of digits"))
        return None
    if not isinstance(content, dict):
        found.faults.append(Fault("annotation-syntax", found.file, 1, 1, "", "the top level is no object"))
        return None
    wrong = [key for key in KEYS if not isinstance(content.get(key), list)]
    words = (f"`{key}` is no list" if key in content else f"no `{key}` in the file" for key in wrong)
    found.faults.extend(Fault("annotation-key", found.file, None, None, word) for word in words)
    return None if wrong else content


def _unique(found: Annotated, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the file. A key that stands twice is a fault: JSON readers take the last one without a word."""
    entry = dict(pairs)
    if len(entry) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for number, key in enumerate(keys) if key in keys[:number])
        found.faults.append(Fault("annotation-key", found.file, None, None, f"`{twice[:60]}` stands twice in one object"))
    return entry


def _categories(found: Annotated, categories: list[Any]) -> dict[int, int]:
    """Category id -> class id, by ascending category id."""
    names: dict[int, str] = {}
    for category in categories:
        number = category.get("id") if isinstance(category, dict) else None
        if type(number) is not int:
            found.faults.append(
                Fault("annotation-key", found.file, None, None, f"no whole number as id of a category: {str(category)[:50]}")
            )
        elif number in names:
            found.faults.append(Fault("annotation-duplicate-id", found.file, None, None, str(number), "category"))
        else:
            names[number] = str(category.get("name", f"class_{number}"))
    order = sorted(names)
    if order != list(range(len(order))):
        found.faults.append(Fault("category-renumbered", found.file, None, None, f"{order[0]} to {order[-1]}", str(len(order))))
    found.names = tuple(names[number] for number in order)
    return {number: cls for cls, number in enumerate(order)}


def _images(found: Annotated, images: list[Any], split: str) -> dict[int, int]:
    """Image id -> index, in the order of the file names; -1 where the entry is no good."""
    folder = found.file if os.path.isdir(found.file) else os.path.dirname(found.file)
    entries: dict[int, tuple[str, int, int]] = {}
    broken: dict[int, int] = {}
    for image in images:
        number = image.get("id") if isinstance(image, dict) else None
        if type(number) is not int:
            found.faults.append(Fault("annotation-key", found.file, None, None, f"no whole number as id of an image: {str(image)[:50]}"))
            continue
        name, width, height = image.get("file_name"), image.get("width"), image.get("height")
        if number in entries or number in broken:
            found.faults.append(Fault("annotation-duplicate-id", found.file, None, None, str(number), "image"))
        elif not isinstance(name, str) or not all(type(side) is int and 0 < side < 1 << 24 for side in (width, height)):
            found.faults.append(Fault("annotation-size", found.file, None, None, f"image {number}", f"{width} x {height}"))
            broken[number] = found.add_picture(os.path.join(folder, str(name)), split, 0, 0)
            found.skipped.add(broken[number])
        else:
            entries[number] = (os.path.normpath(os.path.join(folder, name)), width, height)
    ordered = sorted(entries, key=lambda number: entries[number][0])
    return {number: found.add_picture(entries[number][0], split, *entries[number][1:]) for number in ordered} | dict.fromkeys(broken, -1)


def _annotation(found: Annotated, number: int, entry: Any, images: dict[int, int], classes: dict[int, int], seen: set[object]) -> None:
    known = entry if isinstance(entry, dict) else {}
    token = f"annotation {str(known.get('id', f'number {number}'))[:40]}"
    image, category, box = known.get("image_id"), known.get("category_id"), known.get("bbox")
    index = images.get(image) if type(image) is int else None
    if index is None or index < 0:
        found.stray += 1
        found.lose("annotation-no-image", None, None, token, str(image)[:40])
        return
    found.rows[index] += 1
    picture = found.pictures[index]
    if "id" in known and str(known["id"]) in seen:
        found.faults.append(Fault("annotation-duplicate-id", picture, None, None, str(known["id"])[:40], "annotation"))
    seen.add(str(known.get("id")))
    if known.get("iscrowd"):
        found.lose("annotation-crowd", None, None, token, path=picture)
    elif type(category) is not int or category not in classes:
        found.lose("annotation-no-category", None, None, token, str(category)[:40], picture)
    elif not isinstance(box, list) or len(box) != 4 or not all(type(value) in (int, float) for value in box):
        found.lose("annotation-box", None, None, token, "bbox is not [x, y, width, height]", picture)
    else:
        # an integer can be larger than any float
        x, y, w, h = (float(value) if abs(value) < 1 << 53 else float("inf") for value in box)
        found.add_box(index, number, classes[category], (x, y, x + w, y + h), (None, None), token, picture)
