"""detloss: what the loss of an object detector will do with your labels, and why."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detloss_cli.api import compute, document, inspect_labels, inspect_targets
    from detloss_cli.errors import DetlossError
    from detloss_cli.predictions.detloss_tap import tap
    from detloss_cli.report.scalars import scalars

__version__ = "0.1.0"
__all__ = ["DetlossError", "compute", "document", "inspect_labels", "inspect_targets", "scalars", "tap"]
# Imported when they are asked for: `import detloss_cli` alone loads nothing.
WHERE = {
    **dict.fromkeys(("compute", "document", "inspect_labels", "inspect_targets"), "api"),
    "DetlossError": "errors",
    "scalars": "report.scalars",
    "tap": "predictions.detloss_tap",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{WHERE[name]}"), name)
