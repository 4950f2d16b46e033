"""What is open to each box before any prediction is known, counted by level, and by release and input size. numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts.reach import OpenFacts, ReachFacts, SizeFacts
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.batches import in_frame
from detloss_cli.measure.network import View
from detloss_cli.targets.assignment import Targets

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family, Open

SCALES = (1.0, 1.5, 2.0)  # of the input size: what a user may try who sees that small boxes get nothing

HeadAt = Callable[[str, tuple[int, int]], Head]  # profile, imgsz
ViewsAt = Callable[[str, tuple[int, int]], Sequence[View]]  # profile, imgsz


def reach_facts(family: Family, profile: str, hyp: Any, labels: Labels, imgsz: tuple[int, int], head: HeadAt, views: ViewsAt) -> ReachFacts:
    """The tests of a family that has `open_slots`.

    Args:
        hyp: as the assigner takes it. imgsz: height and width of the network input, px.
    """
    sizes = [_scaled(imgsz, scale, max(head(profile, imgsz).strides)) for scale in SCALES]
    none: dict[str, list[int]] = {}
    tests: tuple[Open, ...] = ()
    for release in family.PROFILES:
        none[release] = []
        for size in sizes:
            found = _open(family, release, hyp, views(release, size))
            none[release].append(int((found[0].slots.sum(axis=1) == 0).sum()))
            tests = found if release == profile and size == sizes[0] else tests
    alike = _alike(none)
    return ReachFacts(
        boxes=len(labels),
        levels=tuple(f"{level.name}/{level.stride}" for level in head(profile, imgsz).levels[: tests[0].slots.shape[1]]),
        tests=tuple(_counted(test) for test in tests),
        sizes=tuple(SizeFacts(size, {name: counts[index] for name, counts in alike.items()}) for index, size in enumerate(sizes)),
    )


def _open(family: Family, profile: str, hyp: Any, views: Sequence[View]) -> tuple[Open, ...]:
    each = [_open_in(family, profile, hyp, *view) for view in views]
    return tuple(replace(tests[0], slots=np.concatenate([test.slots for test in tests])) for tests in zip(*each, strict=True))


def _open_in(family: Family, profile: str, hyp: Any, head: Head, labels: Labels, network: NDArray[np.float32]) -> tuple[Open, ...]:
    targets = Targets(labels.image, labels.cls, in_frame(network, head.imgsz, family.FRAME), len(labels.images), family.FRAME)
    with np.errstate(divide="ignore", invalid="ignore"):  # a side of 0 gives inf, which passes nothing
        found: tuple[Open, ...] = family.open_slots(head, hyp, targets, profile=profile)  # type: ignore[attr-defined]
    return found


def _counted(test: Open) -> OpenFacts:
    some = test.slots > 0
    anywhere = some.any(axis=1)
    return OpenFacts(test.test, tuple(some.sum(axis=0).tolist()), int(anywhere.sum()), int((~anywhere).sum()))


def _alike(none: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Neighbouring releases with the same counts under one name, such as `8.1 to 8.3.200`."""
    groups: list[tuple[str, str, list[int]]] = []
    for release, counts in none.items():
        if groups and groups[-1][2] == counts:
            groups[-1] = (groups[-1][0], release, counts)
        else:
            groups.append((release, release, counts))
    return {first if first == last else f"{first} to {last}": counts for first, last, counts in groups}


def _scaled(imgsz: tuple[int, int], scale: float, step: int) -> tuple[int, int]:
    height, width = (-(-int(side * scale) // step) * step for side in imgsz)
    return height, width
