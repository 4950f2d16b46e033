"""Rectangular batches in a few words: their shapes, and what a level is over all of them."""

from __future__ import annotations

from collections.abc import Sequence

from detloss_cli.facts import Facts, LevelFacts, ShapeFacts
from detloss_cli.report.numbers import count


def shape_words(shapes: Sequence[ShapeFacts]) -> list[str]:
    """The input shapes, width first; nothing where no batch is rectangular."""
    words = list(dict.fromkeys(f"{shape.imgsz[1]}x{shape.imgsz[0]}" for shape in shapes))
    if len(words) < 2:
        return [f"every batch {words[0]}"] if words else []
    return [f"{len(words)} batch shapes, {words[0]} to {words[-1]}"]


def shapes_of(facts: Facts) -> Sequence[ShapeFacts]:
    """Those of a run."""
    return facts.settings.shapes if facts.settings is not None else ()


def grid_and_cells(level: LevelFacts, shapes: Sequence[ShapeFacts]) -> tuple[str, str]:
    """The grid, as least and most columns and rows where batches differ, and the cells of a picture, their mean over batches then."""
    if len(shapes) < 2:
        return f"{level.cols}x{level.rows}", count(level.cells)
    rows, cols = ([-(-shape.imgsz[axis] // level.stride) for shape in shapes] for axis in (0, 1))
    each = [row * col * shape.batches for row, col, shape in zip(rows, cols, shapes, strict=True)]
    mean = sum(each) / sum(shape.batches for shape in shapes) * max(1, len(level.anchors))
    return f"{_span(cols)}x{_span(rows)}", count(round(mean))


def _span(sides: Sequence[int]) -> str:
    low, high = min(sides), max(sides)
    return f"{low}-{high}" if low < high else f"{low}"
