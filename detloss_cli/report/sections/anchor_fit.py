"""The anchors of a head against the data: what each takes, what all of them leave out, and what a fit would change."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts.anchors import AnchorFacts, AnchorSet, Boxes
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, many, percent, short, trim
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.header import labelled

TESTS = {
    "ratio": "sides within a factor of {threshold} ({key})",
    "shape": "IoU of shapes above {threshold} ({key})",
    "best": "the best IoU of shapes, one anchor a box",
}


def anchor_lists(facts: AnchorFacts, width: int) -> Iterator[Text]:
    """Figures, then a row an anchor: the present set, the fitted one beside it."""
    words = TESTS[facts.test].format(threshold=short(facts.threshold), key=facts.key)
    yield from labelled("match", [words, *_reach(facts)], width)
    if facts.present is not None:
        yield from labelled("present", _figures(facts.present), width)
    if facts.fitted is not None:
        how = f"{safe(facts.fit_why)}, seed {facts.seed}, {many(facts.generations, 'generation')}"
        yield from labelled("fitted", [*_figures(facts.fitted), how], width)
    yield from labelled("trainer", [_decision(facts)], width)
    if facts.by_scale:
        yield from labelled("scale", _scale(facts), width)
    if facts.below_fit:
        yield from labelled("tiny", [f"{many(facts.below_fit, 'box is', 'boxes are')} below 2 px on both sides: no part of a fit"], width)
    if facts.present is not None or facts.fitted is not None:
        yield Text("")
        yield from _table(facts, width)


def _figures(one: AnchorSet) -> list[str]:
    if one.best_possible_recall is None:
        return ["no boxes"]
    parts = [f"best possible recall {_four(one.best_possible_recall)}", f"{_number(one.anchors_per_target, 2)} anchors a box"]
    return [*parts, f"fitness {_four(one.fitness)}"]


def _reach(facts: AnchorFacts) -> list[str]:
    if facts.reach is None:
        return []
    return [f"the decode answers up to {short(facts.reach)}x an anchor"]


def _decision(facts: AnchorFacts) -> str:
    if facts.refits is None:
        return "never fits anchors itself"
    if facts.fit_why and facts.fit_why != "--refit":
        return f"fits anchors before the first epoch: {safe(facts.fit_why)}"
    return "fits other anchors before the first epoch: recall is .98 or less" if facts.refits else "keeps these: recall is above .98"


def _scale(facts: AnchorFacts) -> list[str]:
    """Recall with the smallest and the largest boxes, and where it is lowest if that lies between them."""
    (least, first), (most, last) = facts.by_scale[0], facts.by_scale[-1]
    told = [f"recall {_four(first)} with boxes at {short(least)}x", f"{_four(last)} at {short(most)}x"]
    factor, worst = min(facts.by_scale, key=lambda pair: pair[1])
    lowest = [f"at worst {_four(worst)} at {short(factor)}x"] if worst < min(first, last) else []
    return [f"hyp scale {short(facts.scale or 0)}", *told, *lowest]


def _table(facts: AnchorFacts, width: int) -> Iterator[Text]:
    shown = [(name, one) for name, one in (("present", facts.present), ("fitted", facts.fitted)) if one is not None]
    columns = [Column("level", right=False, style="bold")]
    for name, _ in shown:
        group = name if len(shown) > 1 else ""
        columns += [Column("px", group=group), Column("boxes", group=group), Column("of all", group=group, style="cyan")]
    rows = []
    for level, (name, stride) in enumerate(zip(facts.levels, facts.strides, strict=True)):
        for anchor in range(max(len(one.anchors[level]) for _, one in shown)):
            cells: list[str | Text | None] = [f"{safe(name)}/{stride}" if anchor == 0 else ""]
            for _, one in shown:
                cells += _cells(one.anchors[level], one.matches[level], anchor, facts.boxes)
            rows.append(Row(tuple(cells)))
    yield from Grid(tuple(columns), tuple(rows)).lines(width)


def _cells(anchors: Boxes, matches: tuple[int, ...], index: int, boxes: int) -> list[str | Text]:
    if index >= len(anchors):
        return ["", "", ""]
    wide, high = anchors[index]
    number = Text(count(matches[index]), style="" if matches[index] else "bold yellow")
    return [f"{short(wide)}x{short(high)}", number, percent(matches[index] / boxes) if boxes else NOTHING]


def _four(share: float | None) -> str:
    """`.9996`: down, so that 1 means all."""
    if share is None:
        return NOTHING
    return "1" if share == 1 else trim(f"{int(share * 10_000) / 10_000:.4f}")


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else trim(f"{value:.{digits}f}")
