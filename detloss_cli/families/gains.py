"""Rules that trainers scale gains with, each a step that can be shown."""

from __future__ import annotations

from detloss_cli.families.interface import GainStep
from detloss_cli.inputs.head import Head


def by_levels(head: Head, source: str) -> GainStep:
    """3 / levels: a head with more levels sums more terms."""
    count = len(head.levels)
    return GainStep(f"3/{count} levels", 3 / count, source)


def by_classes(head: Head, source: str) -> GainStep:
    """classes / 80: hyps were evolved on COCO."""
    return GainStep(f"{head.num_classes}/80 classes", head.num_classes / 80, source)


def by_area(head: Head, reference: int, source: str) -> GainStep:
    """(imgsz / reference)^2: a larger input has more empty cells."""
    size = max(head.imgsz)
    return GainStep(f"({size}/{reference})² px", (size / reference) ** 2, source)


def by_size(head: Head, reference: int, source: str) -> GainStep:
    """imgsz / reference."""
    size = max(head.imgsz)
    return GainStep(f"{size}/{reference} px", size / reference, source)
