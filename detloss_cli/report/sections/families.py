"""The detectors that are built in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from detloss_cli.report.sections.header import labelled


def families_list(families: Sequence[Mapping[str, Any]], width: int) -> Iterator[Text]:
    """A title line a family, then its profiles, source and licence."""
    for number, family in enumerate(families):
        if number:
            yield Text("")
        yield Text(str(family["id"]), style="bold").append(f"  {family['title']}", style="not bold default")
        yield from labelled("profiles", [str(profile) for profile in family["profiles"]], width)
        yield from labelled("source", [str(family["source"]), str(family["licence"])], width)
        needs = "needs predictions" if family["needs_predictions"] else "from labels alone"
        yield from labelled("targets", [needs], width)
        defaults = [
            f"{family['model']} at {family['imgsz']}",
            f"hyp {family['hyp']}",
            f"{family['loader']} loader",
            "terms " + " ".join(family["terms"]),
        ]
        yield from labelled("default", defaults, width)
