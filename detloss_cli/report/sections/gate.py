"""The figures of a run beside their bounds and those of an earlier run."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.checks.figures import figures, worse
from detloss_cli.facts import Facts
from detloss_cli.inputs.thresholds import Thresholds
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import many, percent, short
from detloss_cli.report.safe import safe

# figure -> what it counts, the bound on it
WORDS = {
    "lost-boxes": ("rows lost to the loader", "max-lost-boxes"),
    "unassigned": ("boxes without a positive", "max-unassigned"),
    "without-slot": ("boxes that win no slot", ""),
    "collisions": ("positives that share a slot", "max-collisions"),
    "bpr": ("best possible recall", "min-bpr"),
    "positives-per-box": ("positives a box", ""),
}


def figure_cells(facts: Facts) -> Iterator[tuple[tuple[str, str, str, str], bool]]:
    """A row a figure that has a bound, a baseline or a name of its own: its words, its value, both; and whether it got worse."""
    gate = facts.gate
    before = gate.baseline.figures if gate is not None and gate.baseline is not None else {}
    for name, value in figures(facts).items():
        bound = _bound(name, gate.thresholds) if gate is not None else ""
        if bound or name in before or name in WORDS:
            moved = name in before and worse(name, before[name], value)
            yield (_words(name), _shown(name, value), bound, _shown(name, before[name]) if name in before else ""), moved


def gate_table(facts: Facts, width: int) -> Iterator[Text]:
    """The figures, and what the baseline made of the findings below."""
    gate = facts.gate
    if gate is None:
        return
    # of single files they would be figures of a handful of rows
    cells = figure_cells(facts) if facts.settings is not None else ()
    rows = [Row(each, style="red" if moved else "") for each, moved in cells]
    if rows:
        columns = (Column("figure", right=False), Column("now"), Column("bound"), Column("baseline"))
        shown = [n for n in range(4) if n < 2 or any(row.cells[n] for row in rows)]
        kept = tuple(Row(tuple(row.cells[n] for n in shown), style=row.style) for row in rows)
        yield from Grid(tuple(columns[n] for n in shown), kept).lines(width)
    if gate.known or gate.gone:
        gone = f" · {many(gate.gone, 'known one is', 'known ones are')} gone: --write-baseline forgets them" if gate.gone else ""
        yield Text(f"{many(gate.known, 'known finding')} not told again{gone}", style="dim")


def _words(name: str) -> str:
    head, _, tail = name.partition("/")
    if head == "share":
        return f"share of {safe(tail)}"
    return f"{WORDS[head][0]}, {safe(tail)}" if tail else WORDS[head][0]


def _shown(name: str, value: float) -> str:
    if name.startswith("positives-per-box"):
        return short(round(value, 3))
    return f"{value:.4f}" if name == "bpr" else percent(value)


def _bound(name: str, thresholds: Thresholds) -> str:
    head, _, tail = name.partition("/")
    if head == "share":
        parts = [f"≤ {bound.text}" for what, bound in thresholds.max_share.items() if what == tail]
        return " ".join([*parts, *(f"≥ {bound.text}" for what, bound in thresholds.min_share.items() if what == tail)])
    option = WORDS[head][1] if not tail else ""
    bound = getattr(thresholds, option.replace("-", "_"), None) if option else None
    return "" if bound is None else f"{'≥' if option.startswith('min') else '≤'} {bound.text}"
