"""`--by`, `--top` and `--write-list` of the commands that know what each box gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.emit import Sink, sources
from detloss_cli.cli.say import say
from detloss_cli.errors import DetlossError
from detloss_cli.report import lists, output
from detloss_cli.report.numbers import many

if TYPE_CHECKING:
    from detloss_cli.facts import Facts

KINDS = ("class", "size", "level", "folder", "image", "box")
LISTED = {"image": "images", "box": "boxes"}
LIST = "--write-list"

By = Annotated[
    str | None,
    typer.Option("--by", metavar="WHAT", help="class, size, level, folder, image or box.", show_default=False, rich_help_panel=o.OUT),
]
Top = Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="So many of --by.", show_default="20", rich_help_panel=o.OUT)]
WriteList = Annotated[
    str | None,
    typer.Option(LIST, metavar="FILE", help="With --by image or box: those as a list.", show_default=False, rich_help_panel=o.OUT),
]


@dataclass(frozen=True)
class Grouping:
    """The boxes of a run by group, and where a ranking goes as a list."""

    by: By = None
    top: Top = None
    write_list: WriteList = None

    def asked(self, to: Sink) -> dict[str, Any]:
        """The fields of a request.

        Raises:
            DetlossError: an unknown word, one option without the other, a file that must not be written.
        """
        if self.by is not None:
            values.one_of(self.by, KINDS, "--by")
        elif self.top is not None:
            raise DetlossError("it says how many of --by", where=f"--top {self.top}", hint="add --by image")
        if self.write_list is not None:
            if self.by not in LISTED:
                raise DetlossError("only images and boxes make a list", where=f"{LIST} {self.write_list}", hint="--by image or --by box")
            output.refuse(self.write_list, force=to.force, option=LIST)
            if self.write_list == to.path:
                raise DetlossError("one file is named twice", where=f"{LIST}, --output", hint="give each its own")
        return {"by": self.by, "top": self.top}

    def write(self, facts: Facts, to: Sink) -> None:
        """The list, best first, if one was asked for.

        Raises:
            DetlossError: it cannot be written.
        """
        groups = facts.groups
        if self.write_list is None or groups is None:
            return
        if facts.data is not None:
            output.refuse_sources(self.write_list, sources(facts.data), force=to.force, option=LIST)
        paths = [(group.path or "", group.line) for group in groups.rows]
        output.write(self.write_list, lists.ranked(paths, self.write_list))
        say(f"{many(len(paths), groups.by, LISTED[groups.by])} of {groups.number:,} written to {self.write_list}")
