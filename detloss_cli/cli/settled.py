"""What a project and the environment settle for options that are not on the command line: configuration < environment < command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from typer._click import Context
from typer._click.core import Command

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.config import OPTIONS, Config, find_config, read_config
from detloss_cli.inputs.single_files import is_single
from detloss_cli.inputs.thresholds import KINDS

PREFIX = "DETLOSS_"
FILE = "DETLOSS_CONFIG"
OF_A_RUN = {"data", "hyp", "model", "imgsz", "batch-size", "family", "profile", "trainer", "loader"}
LISTS = {"data", "limit", *(name for name, kind in KINDS.items() if kind == "shares")}


def settle(ctx: Context, command: Command, args: list[str]) -> None:
    """Fills in the defaults of a command that reads data.

    Raises:
        DetlossError: the configuration is not there, or something is wrong with it.
    """
    parameters = {option.removeprefix("--"): str(each.name) for each in command.params for option in each.opts if option.startswith("--")}
    if not {"fail-on", "limit"} & set(parameters):
        return
    settled = {**_configured(args, "config" in parameters).options, **dict(_from_environment(os.environ))}
    if any(word == "--run" or word.startswith("--run=") for word in args):  # a run that is named says these itself
        settled = {key: value for key, value in settled.items() if key not in OF_A_RUN}
    if "fail-on" not in parameters:  # env: it shows what the project reads, in the form that its user asks for
        settled = {key: value for key, value in settled.items() if key == "limit"}
    ctx.default_map = {**(ctx.default_map or {}), **{parameters[key]: value for key, value in settled.items() if key in parameters}}


def given_wins(ctx: Context) -> None:
    """A data set on the command line replaces the settled one. Single files for `check` do not: they are files of that data set."""
    source = ctx.get_parameter_source("data_option")
    positional = ctx.params.get("data")
    if source is None or source.name != "DEFAULT_MAP" or not positional:
        return
    if ctx.info_name != "check" or not all(is_single(path) for path in positional):
        ctx.params["data_option"] = None


def _configured(args: list[str], has_option: bool) -> Config:
    named = _named(args) if has_option else None
    named = named or os.environ.get(FILE) or None
    if named is not None and not os.path.isfile(named):
        raise DetlossError("no such file", where=f"--config {named}", hint="a detloss.yaml, or a pyproject.toml with [tool.detloss]")
    return read_config(named or find_config())


def _named(args: list[str]) -> str | None:
    for word, following in zip(args, [*args[1:], ""], strict=True):
        if word == "--":
            return None
        if word == "--config":
            return following
        if word.startswith("--config="):
            return word.partition("=")[2]
    return None


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """`DETLOSS_MAX_UNASSIGNED=1%` is `--max-unassigned 1%`; several values are apart by commas, an empty one is none."""
    for key in sorted(OPTIONS | set(KINDS)):
        text = environment.get(PREFIX + key.upper().replace("-", "_"), "")
        if text:
            yield key, [part.strip() for part in text.split(",")] if key in LISTS else text
