"""The words that users of the trainers type: other spellings of our options, and key=value arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from typer._click import Context
from typer._click.core import Command
from typer.core import TyperCommand, TyperGroup

# what they type -> what it is called here
SPELLINGS: dict[str, str] = {
    "--img": "--imgsz",
    "--img-size": "--imgsz",
    "--image-size": "--imgsz",
    "--imgsize": "--imgsz",
    "--batch": "--batch-size",
    "--bs": "--batch-size",
    "--cfg": "--model",
    "--out": "--output",
    "--dataset": "--data",
}


# A hyperparameter, and no option: `box=0.1`.
KEY = re.compile(r"[a-z][a-z0-9_]*")
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class SpelledCommand(TyperCommand):
    """A command that knows the spellings of the trainers, and what the project settles."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        from detloss_cli.cli.settled import given_wins, settle  # which reads files: a list of commands needs no such thing

        words = list(respelled(args, self))
        settle(ctx, self, words)
        rest = super().parse_args(ctx, words)
        given_wins(ctx)
        return rest


class OrderedGroup(TyperGroup):
    """A group without guesses of its own: what was probably meant is said in one place."""

    def __init__(self, **attributes: object) -> None:
        super().__init__(**{**attributes, "suggest_commands": False})  # type: ignore[arg-type]


def respelled(args: Iterable[str], command: Command) -> Iterator[str]:
    """`--img 640` and `imgsz=640` as `--imgsz 640`, `box=0.1` as `--set box=0.1`.

    A word that is the value of an option, stands behind `--` or names a file stays.
    """
    known = known_options(command)
    values = value_options(command)
    flags = known - values
    is_value = False
    rest = iter(args)
    for word in rest:
        if word == "--":
            yield word
            yield from rest
            return
        if is_value:
            is_value = False
            yield word
            continue
        word = _respelled(word, known)
        is_value = word in values
        name, equals, value = word.partition("=")
        if equals and name in flags and value.lower() in (*TRUE, *FALSE):  # single_cls=True
            if value.lower() in TRUE:
                yield name
            continue
        yield word


def _respelled(word: str, known: set[str]) -> str:
    name, equals, value = word.partition("=")
    dashed = name.replace("_", "-")
    if word.startswith("--"):
        name = SPELLINGS.get(dashed, dashed)
        return f"{name}{equals}{value}" if name in known else word
    option = SPELLINGS.get(f"--{dashed}", f"--{dashed}")
    if not equals or os.path.lexists(word):
        return word
    if option in known:
        return f"{option}={value}"
    return f"--set={word}" if "--set" in known and KEY.fullmatch(name) and "/" not in value else word


def known_options(command: Command) -> set[str]:
    """Every option of a command, as typed."""
    return {name for parameter in command.params for name in parameter.opts if name.startswith("-")} | {"--help"}


def value_options(command: Command) -> set[str]:
    """The options that take the next word."""
    return {
        name for parameter in command.params for name in parameter.opts if name.startswith("-") and not getattr(parameter, "is_flag", False)
    }


def command_names(command: Command) -> list[str]:
    """Names of the commands of a group."""
    return list(getattr(command, "commands", {}))
