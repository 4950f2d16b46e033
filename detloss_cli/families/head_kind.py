"""Whether a head is one that a family can train: a loss of anchors has nothing to assign to on a head that has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.head import HeadSpec

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family

GRID = "a grid of cells"  # what a family takes that does not say otherwise by a HEAD of its own
ANCHORS = "anchors"
DISTANCES = "distances to the four sides (reg_max)"
QUERIES = "queries"


def fits(kind: str, spec: HeadSpec) -> bool:
    """Whether a head has what a family asks for. Anchors that are still to be fitted are anchors."""
    found = {
        GRID: spec.queries == 0,
        ANCHORS: spec.anchors is None or all(spec.anchors),
        DISTANCES: spec.reg_max > 0,
        QUERIES: spec.queries > 0,
    }
    return found[kind]


def refuse_other_heads(family: Family, spec: HeadSpec) -> None:
    """Stop where the head and the family do not belong together.

    Raises:
        DetlossError: they do not.
    """
    kind = getattr(family, "HEAD", GRID)
    if fits(kind, spec):
        return
    other = f", or take --family {spec.family}" if spec.family not in (None, family.ID) else ""
    raise DetlossError(
        f"{family.ID} needs a head with {kind}, and this one has none", where=f"--model {spec.name}", hint=f"try {family.MODEL}{other}"
    )
