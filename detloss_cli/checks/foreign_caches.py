"""Rules about label caches of trainers that lie among the data. None of them is ever loaded."""

from __future__ import annotations

from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def cache_runs_code(fault: Fault) -> Words:
    """A label cache of a trainer would import more than arrays need.

    Loading a pickle runs what it names. yolov5, yolov7 and ultralytics load such a file when they find it beside the labels.
    """
    return f"loading this cache would import {fault.token}; ignored, not loaded", "delete it before you train"


def cache_stale(fault: Fault) -> Words:
    """A label cache of a trainer no longer matches the files.

    yolov5 up to 7.0, yolov7 and ultralytics up to 8.4.0 compare total sizes, the oldest loader the number of
    images: an edit that keeps the size is trained on as it was before.
    """
    return f"stale label cache, ignored: {fault.detail}", "delete it before you train"


def cache_foreign(fault: Fault) -> Words:
    """There is a label cache of a trainer; it seems to match the files, and is not used here.

    Trainers read it instead of the labels as long as sizes and names fit. An edit that keeps both goes unnoticed there, not here.
    """
    return "label cache of a trainer, ignored", None


def cache_unread(fault: Fault) -> Words:
    """There is a label cache of a trainer that cannot be looked through.

    It is larger than is looked through, cut short, or of a format that is not known. A trainer may stop at it or write it anew.
    """
    return f"label cache of a trainer, ignored: {fault.detail}", None


RULES: tuple[Rule, ...] = (
    rule("DET260", "warning", cache_runs_code),
    rule("DET261", "warning", cache_stale),
    rule("DET262", "info", cache_foreign),
    rule("DET263", "info", cache_unread),
)
