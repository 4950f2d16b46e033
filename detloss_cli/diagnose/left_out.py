"""A scene without the boxes that its trainer does not train."""

from __future__ import annotations

from detloss_cli.inputs.fault import Fault
from detloss_cli.measure.left_out import beyond_most, refused
from detloss_cli.scene import Scene


def without_left_out(scene: Scene) -> Scene:
    """The scene without the boxes that its trainer leaves out or stops over, each with its fault."""
    chosen = scene.setup
    scene = scene.without(*beyond_most(chosen.family, chosen.hyp, scene.labels), "beyond-max-boxes")
    rows: list[int] = []
    faults: list[Fault] = []
    for start, head, labels, network in scene.seen():
        found, why = refused(chosen.family, chosen.profile, head, chosen.hyp, labels, network)
        rows += [start + row for row in found]
        faults += why
    return scene.without(rows, faults, "box-refused")
