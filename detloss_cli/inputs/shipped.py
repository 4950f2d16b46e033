"""The configs that travel with detloss: beside the code when installed, at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def folder(package: Path = PACKAGE) -> Path:
    """Where the shipped configs stand."""
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"


def hyps() -> dict[str, str]:
    """Name -> path of each shipped hyp: `scratch-low` for `hyp.scratch-low.yaml`."""
    return {path.name.removeprefix("hyp.").removesuffix(".yaml"): str(path) for path in sorted(folder().glob("hyp.*.yaml"))}


def hyp(name: str) -> str | None:
    """The path of a shipped hyp by its name, with or without `hyp.` and `.yaml`; None if there is none."""
    return hyps().get(name.removeprefix("hyp.").removesuffix(".yaml"))
