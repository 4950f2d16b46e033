from __future__ import annotations

from rich.text import Text

from detloss_cli.report.grid import Column, Grid, Row

COLUMNS = (Column("level", right=False), Column("n"), Column("grid", drop=2), Column("raw", drop=1))


def plain(grid: Grid, width: int) -> list[str]:
    return [line.plain for line in grid.lines(width)]


def test_numbers_stand_at_the_right() -> None:
    assert plain(Grid(COLUMNS[:2], (Row(("P3", "1")), Row(("P4", "200")))), 40) == ["level    n", "P3       1", "P4     200"]


def test_the_highest_rank_goes_first() -> None:
    grid = Grid(COLUMNS, (Row(("P3", "1", "80x80", ".5")),))
    assert plain(grid, 40)[0].split() == ["level", "n", "grid", "raw"]
    assert plain(grid, 15)[0].split() == ["level", "n", "raw"]
    assert plain(grid, 9)[0].split() == ["level", "n"]
    assert plain(grid, 3)[0].split() == ["level", "n"]


def test_a_cell_can_take_the_place_of_the_next() -> None:
    grid = Grid(COLUMNS[:3], (Row(("P3", "1", "80x80")), Row(("a long name", None, "1"))))
    lines = plain(grid, 60)
    assert lines[2].startswith("a long name  ")
    assert lines[1].endswith("80x80")
    assert lines[2].endswith("    1")


def test_wide_characters_take_two_columns() -> None:
    first, second = Grid((Column("", right=False), Column("")), (Row(("野菜", "1")), Row(("abcd", "1")))).lines(40)
    assert first.cell_len == second.cell_len
    assert first.plain == "野菜  1"


def test_a_tail_follows_the_last_cell_or_gives_way() -> None:
    tail = Text("= 3.43")
    assert plain(Grid(COLUMNS[:2], (Row(("P3", "1"), tail),)), 40)[1] == "P3     1  = 3.43"
    assert plain(Grid(COLUMNS[:2], (Row(("P3", "1"), tail),)), 12)[1:] == ["P3     1"]
    assert plain(Grid(COLUMNS[:2], (Row(("P3", "1"), tail, keep_tail=True),)), 12)[1:] == ["P3     1", "  = 3.43"]


def test_a_group_stands_above_its_columns() -> None:
    columns = (Column("level"), Column("obj", group="weighted"), Column("class", group="weighted"))
    group, heads, _ = plain(Grid(columns, (Row(("P3", "1", "20,000,000")),)), 40)
    assert heads.index("obj") - 1 <= group.index("─") < group.index("weighted") < group.rindex("─") == len(heads) - 1
