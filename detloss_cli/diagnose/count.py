"""What an assigner did with a scene, counted: by worker processes where labels alone decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from detloss_cli.measure.count_shard import counted_in_shards
from detloss_cli.measure.counted import Counted, counted
from detloss_cli.measure.parts import largest
from detloss_cli.resolve import Request
from detloss_cli.scene import Scene

if TYPE_CHECKING:
    from detloss_cli.measure.batches import Batch
    from detloss_cli.targets.assignment import Assignment

    Pairs = Iterable[tuple[Batch, Assignment]]


def hyp_used(request: Request, scene: Scene) -> Any:
    """The hyp as the loss gets it: scaled, and with what it makes of how often each class occurs."""
    chosen = scene.setup
    hyp = chosen.hyp if request.raw_gains else chosen.family.scaled(chosen.hyp, scene.head, chosen.profile)
    return chosen.family.with_class_weights(hyp, scene.class_counts, chosen.profile) if scene.class_counts else hyp  # type: ignore[attr-defined]


def count_labels(request: Request, scene: Scene) -> Counted | None:
    """What is assigned by labels alone; None in a family that looks at predictions. Torch is best loaded after this: worker processes
    start in no time without it."""
    chosen = scene.setup
    if chosen.family.NEEDS_PREDICTIONS:
        return None
    columns = (scene.labels, scene.network, scene.size_px)
    hyp, shown = hyp_used(request, scene), largest(scene.parts, scene.head)
    return counted_in_shards(chosen.family, chosen.profile, shown, hyp, *columns, request.mapper, scene.parts)


def count_pairs(scene: Scene, hyp: Any, pairs: Pairs) -> Counted:
    """What was assigned batch by batch. hyp: as the assigner got it."""
    shown = largest(scene.parts, scene.head)
    return counted(scene.setup.family, scene.setup.profile, shown, hyp, scene.labels, scene.size_px, pairs)
