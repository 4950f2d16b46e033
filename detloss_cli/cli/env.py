"""detloss env"""

from __future__ import annotations

import os
import platform
from typing import Any

from detloss_cli import __version__
from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit, sink
from detloss_cli.inputs.limits import listed, parse_limits

PACKAGES = ("torch", "numpy", "typer", "rich", "pydantic", "PyYAML", "pillow", "array-api-compat", "safetensors")


def env(limit: o.Limit = None, format: o.Format = None, output: o.Output = None, force: o.Force = False) -> int:
    """Versions, devices, folders and limits: what a report of a bug should hold."""
    to = sink(format, output, force)
    environment = {"versions": _versions(), "devices": _devices(), "folders": _folders(), "limits": listed(parse_limits(limit or ()))}
    return emit("env", None, (), to, extra={"environment": environment})


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"detloss": __version__, "python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _devices() -> dict[str, Any]:
    import torch

    found: dict[str, Any] = {"auto": "cuda" if torch.cuda.is_available() else "cpu", "cpu threads": torch.get_num_threads()}
    found |= {f"cuda:{index}": torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())}
    return found | ({} if torch.cuda.is_available() else {"cuda": "none found by this torch"})


def _folders() -> dict[str, str]:
    """Where detloss is, and the configs that it brings."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside, beside = os.path.join(package, "configs"), os.path.join(os.path.dirname(package), "configs")
    from detloss_cli.inputs.cache import default_folder

    return {"package": package, "configs": inside if os.path.isdir(inside) else beside, "cache": default_folder()}
