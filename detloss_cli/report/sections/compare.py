"""Two or more runs beside one another: what stands out, then settings, figures, keys and lost rows in a column a run."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import Facts
from detloss_cli.facts.compare import BoxMoves, CompareFacts
from detloss_cli.report.grid import GAP, Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, decimals, fixed, many, percent, short, times, trim
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.header import labelled

LONGEST = 22  # letters of a run's name
MOST_LINES = 3
WORDS = {
    "lost": ("box loses every positive", "boxes lose every positive"),
    "only_first": ("box is not kept", "boxes are not kept"),
    "gained": ("box gains its first positive", "boxes gain their first positive"),
    "only_second": ("box is new", "boxes are new"),
}


def run_names(facts: CompareFacts[Facts]) -> list[str]:
    """What each run is called on the screen: a path by its end, if that tells the runs apart."""
    names = [name for name, _ in facts.runs]
    ends = [name.replace("\\", "/").rstrip("/").rpartition("/")[2] for name in names]
    return [_short(name) for name in (ends if len(set(ends)) == len(ends) else names)]


def compare_lines(facts: CompareFacts[Facts], width: int) -> Iterator[Text]:
    """What was compared, and at most three lines on what a move costs, each said once."""
    first = facts.runs[0][1]
    if first.labels is not None:
        yield from labelled("data", [many(first.labels.images, "image"), many(first.labels.boxes, "box", "boxes")], width)
    heads = {run.settings.head for _, run in facts.runs if run.settings is not None}
    if len(heads) == 1 and (head := heads.pop()):
        words = "step 0: what a fresh head says" if head == "prior" else f"--head {head}"
        asking = [name for name, asks in zip(run_names(facts), facts.by_head, strict=True) if asks]
        told = [f"positives of {name} go by it" for name in asking] if len(asking) < len(facts.runs) else ["positives go by it"]
        yield from labelled("head", [safe(words), "no augmentation", *told], width, style="dim")
    said = [text for moves in facts.moves for text in _said(facts, moves)]
    gains = [f"{key.key}: {key.note}" for key in facts.keys if key.off_scale]
    if not said and any(moves.both for moves in facts.moves):
        yield Text("  no box gains or loses all of its positives", style="green")
    for text in [*said[:2], *gains[:1], *said[2:], *gains[1:]][:MOST_LINES]:
        line = Text("! ", style="bold yellow").append_text(Text(safe(text), style="not bold default"))
        line.truncate(width, overflow="ellipsis")
        yield line


def _said(facts: CompareFacts[Facts], moves: BoxMoves) -> Iterator[str]:
    name = run_names(facts)[moves.run]
    for change, words in WORDS.items():
        number = moves.counts.get(change, 0)  # type: ignore[call-overload]
        if number:
            whole = moves.both if change in ("lost", "gained") else 0
            share = f" ({percent(number / whole)})" if whole else ""
            yield f"{many(number, *words)} in {name}{share}"


def compare_blocks(facts: CompareFacts[Facts], width: int) -> Iterator[Iterator[Text]]:
    """Tables of as many runs as fit, the others below them; an empty one takes no room."""
    names = run_names(facts)
    for rows in (_settings(facts), _figures(facts), _lost(facts)):
        if rows:
            yield _tables(names, rows, width, moved=len(names) == 2 and len(rows[0]) == len(names) + 2)
    if facts.keys:
        yield _keys(facts, names, width)


def _tables(names: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, moved: bool) -> Iterator[Text]:
    sizes = [max(len(name), *(Text(row[number]).cell_len for row in rows)) + GAP for number, name in enumerate(names, 1)]
    first = max(Text(row[0]).cell_len for row in rows)
    start = 0
    while start < len(names):
        stop = start + 1
        while stop < len(names) and first + sum(sizes[start : stop + 1]) <= width:
            stop += 1
        columns = [Column("", right=False, style="bold"), *(Column(name) for name in names[start:stop])]
        columns += [Column("moved", style="cyan")] if moved else []
        made = [Row((row[0], *row[start + 1 : stop + 1], *(row[-1:] if moved else ()))) for row in rows]
        if start:
            yield Text("")
        yield from Grid(tuple(columns), tuple(made)).lines(width)
        start = stop


def _settings(facts: CompareFacts[Facts]) -> list[list[str]]:
    names = tuple(name for name, _ in facts.runs)
    return [[key.replace("_", " "), *(_short(text) or NOTHING for text in texts)] for key, texts in facts.settings if texts != names]


def _figures(facts: CompareFacts[Facts]) -> list[list[str]]:
    """Boxes, positives, levels and terms; with two runs how each moved."""
    runs = [run for _, run in facts.runs]
    rows = [
        _row("boxes kept", [_assigned(run, "boxes") for run in runs], difference=True),
        _row("without positives", [_assigned(run, "unassigned") for run in runs], [_share(run) for run in runs], difference=True),
        _row("positives", [_assigned(run, "positives") for run in runs]),
        _row("a box", [_assigned(run, "per_box_mean") for run in runs], digits=1),
        _row("BPR", [_assigned(run, "best_possible_recall") for run in runs], digits=4),
    ]
    rows += _levels(runs)
    names = dict.fromkeys(name for run in runs for name in (run.loss.totals if run.loss is not None else {}))
    ordered = [*(name for name in names if name != "total"), *(["total"] if "total" in names else [])]
    values = {name: [run.loss.totals.get(name) if run.loss is not None else None for run in runs] for name in ordered}
    digits = decimals([value for row in values.values() for value in row])
    for name in ordered:
        shares = [_part(value, whole) if name != "total" else "" for value, whole in zip(values[name], values["total"], strict=True)]
        rows.append(_row(safe(name), values[name], shares, digits=digits))
    return [row for row in rows if any(cell not in ("", NOTHING) for cell in row[1:])]


def _levels(runs: Sequence[Facts]) -> list[list[str]]:
    """Positives of each level, each with its share of all, as the table of one run has it."""
    strides = {level.level: level.stride for run in runs for level in run.levels or ()}
    rows = []
    for name in sorted(strides, key=lambda one: (strides[one], one)):
        here = [next((level for level in run.levels or () if level.level == name), None) for run in runs]
        numbers = [level.positives if level is not None else None for level in here]
        shares = [_part(number, _assigned(run, "positives")) for number, run in zip(numbers, runs, strict=True)]
        rows.append(_row(f"{safe(name)}/{strides[name]} positives", numbers, shares))
    return rows


def _assigned(run: Facts, name: str) -> float | int | None:
    found: float | int | None = getattr(run.assignment, name) if run.assignment is not None else None
    return found


def _share(run: Facts) -> str:
    assignment = run.assignment
    return percent(assignment.unassigned / assignment.boxes) if assignment is not None and assignment.boxes else ""


def _part(value: float | None, whole: float | None) -> str:
    return percent(value / whole) if value is not None and whole else ""


def _row(
    name: str, values: Sequence[float | int | None], beside: Sequence[str] = (), *, digits: int = 0, difference: bool = False
) -> list[str]:
    """A figure of each run, each with its share beside it, and how it moved."""
    texts = [NOTHING if value is None else count(value) if isinstance(value, int) else fixed(value, digits) for value in values]
    size = max((len(text) for text in beside), default=0)
    pairs = zip(texts, beside or [""] * len(texts), strict=True)
    cells = [f"{text} {share.rjust(size)}" if size and text != NOTHING else text for text, share in pairs]
    if len(values) != 2:
        return [name, *cells]
    first, second = values
    if first is None or second is None:
        return [name, *cells, "" if first is second else "new" if first is None else "gone"]
    if difference:
        return [name, *cells, f"{second - first:+,.0f}" if second != first else "same"]
    return [name, *cells, "same" if first == second else "from 0" if not first else times(second / first) if second else "to 0"]


def _lost(facts: CompareFacts[Facts]) -> list[list[str]]:
    """Rows that a loader does not keep, by rule."""
    return [[f"lost: {safe(rule)}", *(count(number) for number in rows)] for rule, rows in facts.lost.items()]


def _keys(facts: CompareFacts[Facts], names: Sequence[str], width: int) -> Iterator[Text]:
    """What the hyp says, and what the loss multiplies with where that is another number; a note stands beside its key, or below it."""
    columns = [Column("hyp", right=False, style="bold"), *(Column(name) for name in names)]
    rows = [Row((safe(key.key), *(_value(*pair) for pair in zip(key.hyp, key.used, strict=True)))) for key in facts.keys]
    head, *lines = Grid(tuple(columns), tuple(rows)).lines(width)
    yield head
    for line, key in zip(lines, facts.keys, strict=True):
        note = Text(safe(key.note), style="dim")
        beside = line.cell_len + GAP + note.cell_len <= width
        yield line.append(" " * GAP).append_text(note) if note and beside else line
        if note and not beside:
            yield from (Text(" " * 2 * GAP + part, style="dim") for part in textwrap.wrap(note.plain, width - 2 * GAP))
    if any(value is None for key in facts.keys for value in key.hyp):
        yield Text(f"{NOTHING} not read by this loss", style="dim")


def _value(hyp: object, used: float | None) -> str:
    if hyp is None:
        return NOTHING
    text = short(float(hyp)) if isinstance(hyp, int | float) and not isinstance(hyp, bool) else safe(str(hyp).lower())
    return text if used is None or used == hyp else f"{text} → {trim(f'{used:.4g}')}"


def _short(name: str) -> str:
    shown = safe(name)
    return shown if len(shown) <= LONGEST else "…" + shown[1 - LONGEST :]
