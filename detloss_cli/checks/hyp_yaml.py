"""Rules about hyp files."""

from __future__ import annotations

from detloss_cli.checks.rule import Rule

RULES: tuple[Rule, ...] = ()
