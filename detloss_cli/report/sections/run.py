"""A run: where its settings came from, and its epochs beside the marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts.run import LogFacts, RunFacts, TermLog
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, decimals, fixed, many
from detloss_cli.report.safe import safe

BARS = "▁▂▃▄▅▆▇█"
LONGEST = 22  # bars of a sparkline
GAP = "?"  # an epoch that is not finite
HIDDEN = {"hyp_section", "loader", "family", "profile", "anchors"}  # the line above says them
WORDS = {"batch_size": "batch", "label_smoothing": "label smoothing"}


def run_parts(run: RunFacts) -> list[str]:
    """`opt.yaml: data a.yaml`, `imgsz 640`: the settings of each file behind its name, then the files that are missing."""
    told = [(source, f"{WORDS.get(key, key)} {safe(value)}") for key, value, source in run.values if key not in HIDDEN]
    parts = []
    for source in dict.fromkeys(source for source, _ in told):
        first, *more = [text for one, text in told if one == source]
        parts += [f"{safe(source)}: {first}", *more]
    return [*parts, *(f"no {name}" for name in run.missing)]


def log_table(run: RunFacts | None, width: int) -> Iterator[Text]:
    """A line a term: marks, first and last epoch, since when it is below its base rate, and its course."""
    log = run.log if run is not None else None
    if log is None:
        return
    if not log.terms:
        yield Text(f"{_name(log)}: no epoch of these terms", style="dim")
        return
    digits = {term.term: decimals([term.step_0, term.base_rate, term.floor, *term.values]) for term in log.terms}
    columns = (
        Column("log", right=False, style="bold"),
        Column("step 0", group="not augmented"),
        Column("base rate", group="not augmented"),
        Column("floor", group="not augmented"),
        Column("first", group="as logged"),
        Column("last", group="as logged"),
        Column("below base", right=False, drop=2),
        Column(f"{len(log.epochs)} epochs", right=False, drop=1, style="cyan"),
    )
    yield from Grid(columns, tuple(_row(term, digits[term.term]) for term in log.terms)).lines(width)
    unread = f" · {many(log.unread, 'row')} not read" if log.unread else ""
    yield Text(f"{_name(log)} is of augmented pictures, the marks are not{unread}", style="dim")


def _name(log: LogFacts) -> str:
    return safe(log.path.replace("\\", "/").rsplit("/", 1)[-1])


def _row(term: TermLog, digits: int) -> Row:
    ends = [term.values[0], term.values[-1]] if term.values else [None, None]
    since = f"epoch {term.below}" if term.below is not None else "not yet" if term.base_rate < term.step_0 else NOTHING
    numbers = (fixed(value, digits) for value in (term.step_0, term.base_rate, term.floor, *ends))
    return Row((safe(term.term), *numbers, since, sparkline(term.values)))


def sparkline(values: Sequence[float | None]) -> str:
    """Bars from the smallest value to the largest, neighbours averaged where there are too many."""
    bins = min(LONGEST, len(values))
    means: list[float | None] = []
    for place in range(bins):
        part = values[place * len(values) // bins : (place + 1) * len(values) // bins]
        finite = [value for value in part if value is not None]
        means.append(sum(finite) / len(finite) if len(finite) == len(part) else None)
    known = [mean for mean in means if mean is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(GAP if mean is None else BARS[round((mean - low) * scale)] for mean in means)
