"""detloss families"""

from __future__ import annotations

from typing import Any

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit, sink


def families(format: o.Format = None, output: o.Output = None, force: o.Force = False) -> int:
    """The losses that are built in: releases, sources, licences of the originals."""
    to = sink(format, output, force)
    from detloss_cli import families as built_in

    return emit("families", None, (), to, extra={"families": [_described(built_in.load(name)) for name in built_in.MODULES]})


def _described(family: Any) -> dict[str, Any]:
    return {
        "id": family.ID,
        "title": family.TITLE,
        "profiles": list(family.PROFILES),
        "source": family.SOURCE,
        "licence": family.LICENCE,
        "needs_predictions": family.NEEDS_PREDICTIONS,
        "model": family.MODEL,
        "imgsz": family.IMGSZ,
        "hyp": family.HYP,
        "loader": family.LOADER,
        "terms": list(family.TERMS),
    }
