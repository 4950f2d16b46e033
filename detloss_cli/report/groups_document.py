"""The boxes of a run by group, under the keys of the JSON: `boxes_by`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from detloss_cli.facts.box_groups import BoxGroup, BoxGroups
from detloss_cli.inputs.relative import relative


def groups_document(groups: BoxGroups, root: str) -> dict[str, Any]:
    """Rows as ranked, those left out together, and what no box adds."""
    return {
        "by": groups.by,
        "number": groups.number,
        "rows": [_row(group, root) for group in groups.rows],
        "rest": _row(groups.rest, root) if groups.rest is not None else None,
        "empty_cells": groups.empty_cells,
    }


def _row(group: BoxGroup, root: str) -> dict[str, Any]:
    return asdict(group) | {"path": relative(group.path, root) if group.path is not None else None}
