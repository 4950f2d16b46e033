"""Printed columns add up to the printed totals, as far as their digits can say."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.report import text_format
from detloss_cli.report.look import Look

FOLDER = Path(__file__).parent
COMPUTE = ["compute", "compute-keras-yolo3"]


class Table:
    """The level table of a printed screen: cells by column, for levels and for the line of totals."""

    def __init__(self, text: str) -> None:
        lines = text.splitlines()
        head = next(i for i, line in enumerate(lines) if line.startswith("level "))
        body = lines[head + 1 :]
        self.rows = [line.split() for line in body[: next(i for i, line in enumerate(body) if line.startswith("step 0"))]]
        self.total = body[len(self.rows)].removeprefix("step 0").split()
        self.heads = lines[head].replace("a box", "a_box").replace("one weighs", "one_weighs").replace("obj target", "obj_target").split()

    def terms(self) -> list[str]:
        return self.heads[self.heads.index("a_box") + 1 : self.heads.index("sum")]

    def column(self, head: str) -> list[str]:
        """Cells of one column; `37 %` and `47,713 49 %` are several words."""
        shift = {"level": 0, "share": 0}.get(head, 3 if self.heads.index(head) > 2 else 1)
        return [row[self.heads.index(head) + shift] for row in self.rows]


def number(text: str) -> float:
    return float(text.replace(",", ""))


def unit(text: str) -> float:
    """What one in the last printed digit is worth."""
    return 10.0 ** -len(text.partition(".")[2])


def printed(name: str, width: int) -> Table:
    return Table((FOLDER / f"{name}.{width}.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("name", COMPUTE)
def test_levels_add_up_to_totals(name: str, width: int) -> None:
    table = printed(name, width)
    for place, head in enumerate([*table.terms(), "sum"]):
        cells, total = table.column(head), table.total[2 + place]
        assert abs(sum(map(number, cells)) - number(total)) <= unit(total) * (len(cells) + 1) / 2


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("name", COMPUTE)
def test_terms_add_up_to_the_sum_of_a_level(name: str, width: int) -> None:
    table = printed(name, width)
    rows = [[table.column(head)[i] for head in [*table.terms(), "sum"]] for i in range(len(table.rows))]
    rows.append(table.total[2 : 3 + len(table.terms())])
    for *parts, total in rows:
        slack = (sum(unit(part) for part in parts) + unit(total)) / 2
        assert abs(sum(map(number, parts)) - number(total)) <= slack


@pytest.mark.parametrize("name", COMPUTE)
def test_shares_and_positives_add_up(name: str) -> None:
    table = printed(name, 80)
    shares = [(float(row[1]), float(row[4])) for row in table.rows]
    for column in zip(*shares, strict=True):
        assert abs(sum(column) - 100) <= 0.5 * len(column)
    assert sum(number(row[3]) for row in table.rows) == number(table.total[0])
    assert abs(sum(map(number, table.column("a_box"))) - number(table.total[1])) <= 0.1 * (len(table.rows) + 1) / 2


def test_share_is_the_sum_over_the_total() -> None:
    table = printed("compute", 80)
    for row, total in zip(table.rows, table.column("sum"), strict=True):
        assert abs(number(total) / number(table.total[-6]) - float(row[1]) / 100) <= 0.006


def test_batch_factor_is_applied_to_the_total() -> None:
    *_, total, times, word, factor, equals, product = printed("compute", 80).total
    assert (times, word, equals) == ("x", "batch", "=")
    assert abs(number(total) * number(factor) - number(product)) <= number(factor) * unit(total) / 2 + unit(product) / 2


def test_a_tampered_table_is_noticed() -> None:
    text = (FOLDER / "compute.80.txt").read_text(encoding="utf-8").replace(".0352", ".0372")
    table = Table(text)
    cells = table.column("box")
    assert abs(sum(map(number, cells)) - number(table.total[2])) > unit(table.total[2]) * (len(cells) + 1) / 2


def test_golden_files_are_what_is_printed_at_any_width() -> None:
    from test_screens import made

    for width in (60, 80, 120, 200):
        rows = Table(text_format.render(made("compute"), Look(width))).rows
        assert [row[0] for row in rows] == ["P3/8", "P4/16", "P5/32"]
