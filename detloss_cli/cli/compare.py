"""detloss compare"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.compute import Switches
from detloss_cli.cli.emit import emit
from detloss_cli.cli.groups import Caching, Heads, Output, Reading
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request
from detloss_cli.cli.save import is_run
from detloss_cli.errors import DetlossError

LISTED = ("model", "trainer", "hyp", "imgsz", "profile", "family", "loader", "geometry", "anchors", "head")
MOST = 1000
HOW = "give exactly one of " + ", ".join(f"--{name}" for name in LISTED) + " a list: --model yolov5s,yolo11s"

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="A.npz B.npz | DATA", help="Two saved runs; or DATA and one option with a,b.", show_default=False),
]
Top = Annotated[
    int | None, typer.Option("--top", metavar="N", min=0, max=MOST, help="Boxes that are shown.", show_default="10", rich_help_panel=o.OUT)
]


@dataclass(frozen=True)
class Runs(Reading):
    """Saved runs, or labels and whose reading of them."""

    data: Paths = None


def compare(
    ctx: typer.Context,
    reading: Runs,
    caching: Caching,
    heads: Heads,
    switches: Switches,
    *,
    top: Top = None,
    output: Output,
) -> int:
    """Which boxes gain or lose positives between two runs, and what else moves: terms, levels, gains, lost rows.

    Of two runs that --save kept, or of one DATA under an option that holds a
    list: --model yolov5s,yolo11s. Worst first.
    """
    to = output.sink()
    paths = values.data(
        reading.data, reading.data_option, needed=heads.run is None, hint="give two saved runs, or DATA and one option with a list"
    )
    extra = {"shown": top} if top is not None else {}
    saved = [path for path in paths if is_run(path)]
    if saved:
        _refuse_options(ctx, paths, saved)
        limits = caching.limits()
        with busy("reading the runs", quiet=output.quiet):
            from detloss_cli.diagnose.compare import compare_saved

            facts, findings = compare_saved(paths, MOST, limits.run_bytes)
        return emit("compare", facts, findings, to, extra)
    given = {**reading.asked(needed=False), **heads.asked(), **caching.asked(), "overrides": switches.asked()}
    key, words = _listed(given)
    requests = [(word, request("compare", **{**given, key: word})) for word in words]
    with busy("comparing", quiet=output.quiet):
        from detloss_cli.diagnose.compare import compare_data

        facts, findings = compare_data(f"--{key}", requests, MOST)
    return emit("compare", facts, findings, to, extra)


def _refuse_options(ctx: typer.Context, paths: tuple[str, ...], saved: list[str]) -> None:
    """Saved runs stand for themselves."""
    if len(saved) < len(paths):
        other = next(path for path in paths if path not in saved)
        raise DetlossError("is no saved run, and the others are", where=other, hint="compare two .npz, or one DATA")
    if len(paths) < 2:
        raise DetlossError("a second run is needed", where=paths[0], hint="detloss compare A.npz B.npz")
    for name in (*LISTED, "preds", "run", "split", "batch_size"):
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise DetlossError("has no meaning for saved runs", where=option, hint="save the run again with it")


def _listed(given: dict[str, Any]) -> tuple[str, list[str]]:
    """The option that holds a list, and its words. A file whose name has a comma is no list."""
    lists = {}
    for key in LISTED:
        text = given[key]
        if isinstance(text, str) and "," in text and not os.path.lexists(text):
            lists[key] = [word.strip() for word in text.split(",")]
    if not lists:
        raise DetlossError("nothing to compare with", where="compare", hint=HOW)
    if len(lists) > 1:
        told = " and ".join(f"--{key}" for key in lists)
        raise DetlossError(f"{told} each hold a list: one moves, the others stay", where="compare", hint="give the others one value")
    key, words = next(iter(lists.items()))
    if not all(words):
        raise DetlossError("a value of the list is empty", where=f"--{key} {given[key]}", hint="a,b")
    if len(dict.fromkeys(words)) < 2:
        raise DetlossError("both values are the same", where=f"--{key} {given[key]}", hint="a,b")
    return key, list(dict.fromkeys(words))
