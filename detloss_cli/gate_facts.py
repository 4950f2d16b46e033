"""What a run of `check` is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detloss_cli.inputs.baseline import Baseline
from detloss_cli.inputs.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class GateFacts:
    """thresholds: the bounds that were set. settings: what the figures depend on, as text. baseline: None without one, or where only new
    findings count. known: findings that the baseline suppressed. gone: findings of the baseline that are there no more."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    settings: Mapping[str, str] = field(default_factory=dict)
    baseline: Baseline | None = None
    known: int = 0
    gone: int = 0
