"""Paths as a report shows them: below a folder, the same on every machine."""

from __future__ import annotations

import os


def relative(path: str, root: str) -> str:
    """A path below the root without it, with `/`; another one as it is."""
    if path == root:
        return "."
    folder = root.rstrip(os.sep) + os.sep
    if os.sep == "/" and path.startswith(folder) and "//" not in path and "/." not in path and not path.endswith("/"):
        return path[len(folder) :]  # what all below leads to where nothing has to be looked up
    whole = os.path.abspath(path)
    if not whole.startswith(folder):  # the working folder may lead there through a link
        whole = os.path.join(os.path.realpath(os.path.dirname(whole)), os.path.basename(whole))
    return whole[len(folder) :].replace(os.sep, "/") if whole.startswith(folder) else path
