"""One JSON object a line: each finding with the keys that it has in JSON, then the summary. For streams and for grep."""

from __future__ import annotations

import json

from detloss_cli.report.document import document
from detloss_cli.report.look import Look
from detloss_cli.report.report import Report


def render(report: Report, look: Look) -> str:
    """Lines of ASCII; `kind` says which of the two a line is."""
    whole = document(report)
    head = {key: whole[key] for key in ("schema_version", "tool", "command") if key in whole}
    lines = [{"kind": "finding", **finding} for finding in whole["findings"]]
    lines.append({"kind": "summary", **head, **whole["summary"]})
    text = "".join(json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n" for line in lines)
    return text.replace("\x7f", "\\u007f")
