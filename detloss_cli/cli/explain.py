"""detloss explain"""

from __future__ import annotations

from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit, sink
from detloss_cli.errors import DetlossError
from detloss_cli.inputs.nearest import nearest


def explain(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="A finding's code or name, or a topic.", show_default=False)] = None,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
) -> int:
    """The manual page of one finding or topic; without CODE, what there is."""
    to = sink(format, output, force)
    from detloss_cli.report.manual import pages

    known = pages()
    if code is None:
        wide = max(len(page.name) for page in known) + 2
        rows = [f"{page.code:<8}{page.severity:<9}{page.name:<{wide}}{page.summary}" for page in known]
        return emit("explain", None, (), to, extra={"explanation": {"name": "", "text": "\n".join(rows)}})
    for page in known:
        if code.lower() in {page.code.lower(), page.name}:
            return emit("explain", None, (), to, extra={"explanation": page.plain()})
    near = nearest(code, [word for page in known for word in (page.code, page.name) if word])
    raise DetlossError(
        f"nothing is called {code}", where="CODE", hint=f"did you mean {near}?" if near else "detloss explain lists everything"
    )
