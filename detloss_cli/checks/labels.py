"""Everything there is to say about the labels of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from detloss_cli.checks.annotation_places import at_pictures
from detloss_cli.checks.boxes import box_faults
from detloss_cli.checks.judge import judge
from detloss_cli.checks.loader_fates import fate_faults
from detloss_cli.checks.splits import split_faults
from detloss_cli.finding import Finding
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.pairing import label_folder


def label_findings(dataset: DataSet, *, imgsz: int = 640) -> Iterator[Finding]:
    """Findings about rows, files, boxes, splits and what the loader does with them, in no order.

    Args:
        imgsz: the longer side of the network's input, pixels: what counts as smaller than a pixel.
    """
    faults = chain(dataset.faults, box_faults(dataset.strict, imgsz), _nothing(dataset), split_faults(dataset), fate_faults(dataset))
    return at_pictures(judge(faults), dataset)


def _nothing(dataset: DataSet) -> Iterator[Fault]:
    sources = [source for split in dataset.splits for source in dataset.spec.splits[split]]
    if not sources or any(fault.path in sources for fault in dataset.faults):
        return
    if not dataset.counts.images:
        yield Fault("no-images", dataset.spec.path, None, None, "", ", ".join([*dict.fromkeys(sources)][:3]))
    elif not dataset.counts.rows and not dataset.counts.skipped:
        yield Fault("no-labels", dataset.spec.path, None, None, str(dataset.counts.images), label_folder(sources[0]))
