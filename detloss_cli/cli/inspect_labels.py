"""detloss inspect labels"""

from __future__ import annotations

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.emit import emit
from detloss_cli.cli.groups import Caching, Output, Reading, Trainer
from detloss_cli.cli.label_lists import lists_of
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request


def inspect_labels(
    reading: Reading,
    caching: Caching,
    trainer: Trainer,
    *,
    single_cls: o.SingleCls = False,
    by: o.By = None,
    top: o.Top = None,
    write_list: o.WriteList = None,
    write_clean_list: o.WriteCleanList = None,
    output: Output,
) -> int:
    """What the label files hold, and what the trainer's loader would do with each row.

    Every split is read unless --split names some. Each fault is listed by file,
    line and column. Without a word of a family the strict loader reads, which
    leaves out each row with an error, alone; --loader all shows what every one does.
    """
    to = output.sink()
    if by is not None:
        values.one_of(by, ("folder", "class", "split"), "--by")
    files = lists_of(write_list, write_clean_list, top, output.select, reading.split)
    files.refuse(to)
    wanted = request(
        "inspect labels", **reading.asked(needed=trainer.run is None), **trainer.asked(), **caching.asked(), single_cls=single_cls
    )
    with busy("reading labels", quiet=output.quiet):
        from detloss_cli.diagnose.labels import inspect_labels as inspected
        from detloss_cli.diagnose.run_context import in_context

        facts, findings = in_context(wanted, *inspected(wanted, by=by))
    return emit("inspect labels", facts, findings, to, extra=files.write(facts, findings, to))
