"""What the tests of `detloss check` share: its findings by rule, and a row that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
from cli_runs import SCHEMA

Ran = tuple[int, str, str]
Run = Callable[..., Ran]


def found(out: str) -> dict[str, int]:
    """Findings of a JSON report by rule."""
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    rules = [finding["rule"] for finding in body["findings"]]
    return {rule: rules.count(rule) for rule in rules}


def as_json(check: Run, *arguments: str) -> tuple[int, dict[str, int]]:
    code, out, _ = check(*arguments, "--format", "json")
    return code, found(out)


def spoil_row(data: Path) -> None:
    label = sorted((data / "labels" / "train").iterdir())[0]
    label.write_text("0 .5 .5 .1\n" + label.read_text())
