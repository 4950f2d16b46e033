"""detloss from Python: the same facts and findings as on the command line, for a notebook or a training script.

    from detloss_cli import compute, scalars, tap

Options are those of the command line, with underscores. What a user got wrong is a `DetlossError`; nothing is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from detloss_cli.cli import values
from detloss_cli.cli.request import request, switched
from detloss_cli.diagnose import loss as diagnose
from detloss_cli.diagnose.run_context import in_context
from detloss_cli.facts import Facts
from detloss_cli.finding import Finding
from detloss_cli.inputs.limits import parse_limits
from detloss_cli.report.report import build
from detloss_cli.resolve import Request

TEXTS = ("limit", "set", "sets")  # one text or several, each as it would be typed
SWITCHES = ("autobalance", "gr", "label_smoothing", "sort_obj_iou")
INSIDE = ("command", "image", "cache", "files", "hyp_section", "training", "origins", "overrides", "limits", "scanner")
Data = str | Sequence[str] | None


def compute(data: Data = None, **options: Any) -> tuple[Facts, list[Finding]]:
    """The loss of a data set, or of recorded steps with `preds="dumps/"`: `detloss compute`.

    Raises:
        DetlossError: a path that is not there, a word that no option knows, a file that is refused. TypeError: no such option.
    """
    wanted = _request("compute", data, options, needed=options.get("preds") is None and options.get("run") is None)
    return in_context(wanted, *diagnose.compute(wanted))


def inspect_targets(data: Data, **options: Any) -> tuple[Facts, list[Finding]]:
    """Which boxes get positives, on which level, and why the others get none: `detloss inspect targets`. Raises as `compute` does."""
    return diagnose.inspect_targets(_request("inspect targets", data, options))


def inspect_labels(data: Data, **options: Any) -> tuple[Facts, list[Finding]]:
    """What the files hold, and what is wrong with them: `detloss inspect labels`. Never imports torch. Raises as `compute` does."""
    from detloss_cli.diagnose.labels import inspect_labels as inspected

    return inspected(_request("inspect labels", data, options))


def document(facts: Facts, findings: Sequence[Finding], *, fail_on: str = "error") -> dict[str, Any]:
    """What `--format json` prints, as plain values."""
    from detloss_cli.report.document import document as plain

    return plain(build(facts.command, facts, findings, fail_on=fail_on))


def _request(command: str, data: Data, options: dict[str, Any], *, needed: bool = True) -> Request:
    paths = _texts(data)
    known = {field.name: field.default for field in fields(Request) if field.name not in INSIDE}
    given = known | {"data": values.data(paths, None, needed=needed), "batch_size": None, "what_if": "", "classes": None}
    switches = {name: options[name] for name in SWITCHES if name in options}
    given |= {name: _typed(name, value) for name, value in options.items() if name not in (*SWITCHES, *TEXTS)}
    limit, *sets = (_texts(options.get(name)) for name in TEXTS)
    given["sets"] = [word for words in sets for word in words]
    return request(command, **given, limits=parse_limits(limit), overrides=switched(**switches))


def _texts(value: Data) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _typed(name: str, value: Any) -> Any:
    """As it would be typed: 640 and (384, 640) are sizes, [0, 2] are classes."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value) if name in ("imgsz", "device") and value is not None else value
