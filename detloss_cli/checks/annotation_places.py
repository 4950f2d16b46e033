"""Where a finding about a box of a COCO file stands: at its picture, as the file itself is often a single line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from detloss_cli.finding import Finding, Where
from detloss_cli.inputs.dataset import DataSet

LINE = re.compile(r"\bline (\d+)")


def at_pictures(findings: Iterable[Finding], dataset: DataSet) -> Iterator[Finding]:
    """Findings as they are; those whose `line` is the number of an annotation are moved to its picture."""
    if dataset.spec.kind != "coco":
        yield from findings
        return
    images = dataset.strict.images
    columns = [labels for labels in (dataset.strict, dataset.labels) if len(labels)]
    image_of = {line: image for labels in columns for line, image in zip(labels.line.tolist(), labels.image.tolist(), strict=True)}
    files = {source for sources in dataset.spec.splits.values() for source in sources}
    for finding in findings:
        where = finding.where
        if where is None or where.path not in files or where.line not in image_of or finding.rule == "annotation-syntax":
            yield finding
            continue
        message = f"annotation number {where.line}: " + LINE.sub(r"annotation number \1", finding.message)
        yield replace(finding, message=message, where=Where(images.path[image_of[where.line]]))
