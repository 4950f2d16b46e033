"""One JSON object, the same bytes for the same run: ASCII, keys in the order of the schema, a line break at the end."""

from __future__ import annotations

import json

from detloss_cli.report.document import document
from detloss_cli.report.look import Look
from detloss_cli.report.report import Report


def render(report: Report, look: Look) -> str:
    """ASCII text, whatever the locale."""
    text = json.dumps(document(report), indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f") + "\n"
