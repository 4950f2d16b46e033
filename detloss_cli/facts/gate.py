"""What a run of `check` is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detloss_cli.inputs.baseline import Baseline, Key
from detloss_cli.inputs.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class GateFacts:
    """thresholds: the bounds that were set. settings: what the figures depend on, as text. baseline: None without one, or where only new
    findings count. known: findings that the baseline suppressed. gone: findings of the baseline that are there no more.
    seen: how often each finding is there now, for a baseline to write; empty where none is asked for."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    settings: Mapping[str, str] = field(default_factory=dict)
    baseline: Baseline | None = None
    known: int = 0
    gone: int = 0
    seen: Mapping[Key, int] = field(default_factory=dict)
