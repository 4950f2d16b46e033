"""Recorded steps of a training, one a row, the trainer's own loss beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts.heads import DumpFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, decimals, fixed, many
from detloss_cli.report.safe import safe

MOST = 12


def dumps_table(dumps: Sequence[DumpFacts], width: int) -> Iterator[Text]:
    """Steps in order, the middle left out where there are many; then one line on parity.

    Logits of 16 bits are computed in float32, and in 16 bits throughout beside.
    """
    if not dumps:
        return
    terms = [name for name in dumps[0].totals if name != "total"]
    digits = decimals([one.totals["total"] for one in dumps])
    half = any(one.half is not None for one in dumps)
    columns = (
        Column("step", style="bold"),
        Column("epoch", drop=3),
        Column("why", right=False, drop=2, style="dim"),
        Column("boxes", drop=1),
        *(Column(safe(name)) for name in terms),
        Column("total"),
        *([Column("in 16 bits", drop=1, style="dim")] if half else []),
        Column("trainer"),
        Column("differs by", style="dim"),
    )
    head, tail = (dumps[: MOST // 2], dumps[-MOST // 2 :]) if len(dumps) > MOST else (dumps, ())
    rows = [_row(one, terms, digits, half) for one in head]
    if tail:
        rows.append(Row(("...", *("" for _ in columns[1:])), Text(f"{many(len(dumps) - MOST, 'step')} between", style="dim"), style="dim"))
        rows += [_row(one, terms, digits, half) for one in tail]
    yield from Grid(columns, tuple(rows)).lines(width)
    yield from _parity(dumps)


def _row(one: DumpFacts, terms: Sequence[str], digits: int, half: bool) -> Row:
    parity = one.parity
    cells: list[str | Text] = [
        f"{one.step}" + (f" r{one.rank}" if one.rank else ""),
        "" if one.epoch is None else str(one.epoch),
        safe(one.trigger),
        count(one.boxes),
        *(fixed(one.totals.get(name), digits) for name in terms),
        fixed(one.totals["total"], digits),
        *([fixed(one.half["total"] if one.half is not None else None, digits)] if half else []),
        fixed(parity.trainer["total"], digits) if parity is not None else "",
        Text(f"{parity.difference:.0e}", style="" if parity.agrees else "bold yellow") if parity is not None else "",
    ]
    return Row(tuple(cells))


def _parity(dumps: Sequence[DumpFacts]) -> Iterator[Text]:
    known = [one.parity for one in dumps if one.parity is not None]
    if not known:
        yield Text("the dumps do not hold the trainer's loss", style="dim")
        return
    same = sum(one.agrees for one in known)
    if same == len(known):
        yield Text(f"the trainer's loss, total and items, to {max(one.difference for one in known):.0e}", style="green")
        return
    why = {one.explained for one in known if not one.agrees}
    said = safe(", ".join(sorted(why - {""})) or "no setting that was tried explains it")
    yield Text(f"{len(known) - same} of {len(known)} steps differ from the trainer's loss: {said}", style="bold yellow")
