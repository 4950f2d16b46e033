"""Options that go together, as one value each, and commands that take them so.

A command names the groups it takes: `def compute(reading: Reading, output: Output)`. `flat` shows typer each field as an option of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import Sink, sink
from detloss_cli.cli.request import AUTO
from detloss_cli.engine.interface import engine
from detloss_cli.inputs.limits import Limits, parse_limits
from detloss_cli.report.report import MAX_FINDINGS


@dataclass(frozen=True)
class Reading:
    """Which labels, and whose reading of them."""

    data: o.Data = None
    data_option: o.DataOption = None
    split: o.Split = None
    names: o.Names = None
    root: o.Root = None
    image_sizes: o.ImageSizes = None
    allow_outside: o.AllowOutside = False
    loader: o.Loader = None

    def asked(self, *, needed: bool) -> dict[str, Any]:
        """The fields of a request.

        Raises:
            DetlossError: no data is named, and `needed`; a path that is not there.
        """
        kept = ("split", "names", "root", "image_sizes", "allow_outside", "loader")
        data = values.data(self.data, self.data_option, needed=needed)
        return {"data": data, **{name: getattr(self, name) for name in kept}}


@dataclass(frozen=True)
class Caching:
    """What may be remembered of files that have not changed, how many processes read the others, and how much of one is read."""

    cache_dir: o.CacheDir = None
    no_cache: o.NoCache = False
    strict_cache: o.StrictCache = False
    workers: o.Workers = None
    limit: o.Limit = None

    def asked(self) -> dict[str, Any]:
        """The fields of a request.

        Raises:
            DetlossError: a limit that there is none of.
        """
        cache = chosen(self.cache_dir, self.no_cache, self.strict_cache)
        return {"cache": cache, "mapper": engine(self.workers), "limits": self.limits()}

    def limits(self) -> Limits:
        """How much is read. Raises: as above."""
        return parse_limits(self.limit or ())


@dataclass(frozen=True)
class Trainer:
    """Whose loss: hyperparameters, head, release."""

    hyp: o.Hyp = None
    sets: o.Set = None
    model: o.Model = None
    imgsz: o.Imgsz = None
    family: o.Family = AUTO
    profile: o.Profile = None
    trainer: o.Trainer = None
    run: o.Run = None

    def asked(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Targets(Trainer):
    """What changes the targets of a training."""

    batch_size: o.BatchSize = None
    single_cls: o.SingleCls = False
    classes: o.Classes = None
    nc: o.Nc = None
    rect: o.Rect = False
    anchors: o.Anchors = None
    noautoanchor: o.NoAutoAnchor = False
    geometry: o.Geometry = None
    device: o.Device = AUTO


@dataclass(frozen=True)
class Heads(Targets):
    """What changes the loss of given targets."""

    raw_gains: o.RawGains = False
    head: o.Head = "prior"
    preds: o.Preds = None
    seed: o.Seed = 0


@dataclass(frozen=True)
class Output:
    """Where a report goes, in what form, and what of it counts."""

    format: o.Format = None
    output: o.Output = None
    force: o.Force = False
    fail_on: o.FailOn = "error"
    select: o.Select = None
    ignore: o.Ignore = None
    max_findings: o.MaxFindings = MAX_FINDINGS
    quiet: o.Quiet = False

    def sink(self) -> Sink:
        """Where it goes, refused before the work begins.

        Raises:
            DetlossError: an unknown format, severity or finding, an output that must not be written.
        """
        return sink(self.format, self.output, self.force, self.fail_on, self.max_findings, self.select, self.ignore)


def flat(command: Callable[..., int]) -> Callable[..., int]:
    """The command as typer wants it: the fields of each group in the place of the group."""
    hints = get_type_hints(command, include_extras=True)
    signature = inspect.signature(command)
    groups = {name: hints[name] for name in signature.parameters if is_dataclass(hints[name])}
    flattened: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        flattened += _of(groups[name]) if name in groups else [parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY)]

    def ungrouped(**given: Any) -> int:
        taken = {name: group(**{field.name: given.pop(field.name) for field in fields(group)}) for name, group in groups.items()}
        return command(**taken, **given)

    ungrouped.__name__, ungrouped.__doc__ = command.__name__, command.__doc__
    ungrouped.__signature__ = inspect.Signature(flattened)  # type: ignore[attr-defined]
    ungrouped.__annotations__ = {}
    return ungrouped


def _of(group: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
