"""Options as a Request: everything that can be said about them without reading data is checked here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from detloss_cli.cli import values
from detloss_cli.errors import DetlossError
from detloss_cli.families import MODULES
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.mapper import serial
from detloss_cli.inputs.scan import Scanner, scan

if TYPE_CHECKING:
    from detloss_cli.resolve import Request

AUTO = "auto"
HEADS = ("prior", "base-rate", "perfect", "zero", "noise")
ELEMENTS = ("bce", "focal", "qfocal", "blur")
# What a run has to say for a command that does not read everything.
NEEDS = {"inspect labels": ("data",), "inspect hyp": ("hyp", "model", "imgsz"), "inspect anchors": ("data", "hyp", "model", "imgsz")}
EVERY_SPLIT = ("inspect labels", "check")
GEOMETRIES = ("letterbox", "stretch", "square")


def request(command: str, **given: Any) -> Request:
    """A request from what was typed.

    Raises:
        DetlossError: a word that no option knows, a path that is not there.
    """
    given["scanner"] = _begun(command, given)  # first, for what follows imports a good part of the program
    from detloss_cli.inputs.loaders import LOADERS
    from detloss_cli.resolve import TRAINERS, Request

    loaders = (*LOADERS, *(() if command != "inspect labels" else ("all",)))
    run = given.pop("run", None)
    for key, known in (("family", (AUTO, *MODULES)), ("trainer", TRAINERS), ("loader", loaders), ("head", HEADS), ("geometry", GEOMETRIES)):
        if given.get(key) is not None:
            values.one_of(given[key], known, f"--{key}")
    for key in ("preds", "image_sizes", "root"):
        if given.get(key) is not None:
            values.existing(given[key], f"--{key.replace('_', '-')}")
    if "what_if" in given:
        given["what_if"] = tuple(values.one_of(word.strip(), ELEMENTS, "--what-if") for word in (given["what_if"] or "").split(",") if word)
    if "device" in given:
        given["device"] = values.device(given["device"])
    given["sets"] = tuple(given.pop("sets", None) or ())
    if "imgsz" in given:
        given["imgsz"] = values.size(given["imgsz"])
    if "classes" in given:
        given["classes"] = values.ids(given["classes"], "--classes")
    if given.pop("noautoanchor", False):
        if given["anchors"] not in (None, "stock"):
            raise DetlossError("contradicts --noautoanchor", where=f"--anchors {given['anchors']}", hint="give one of them")
        given["anchors"] = "stock"
    if run is not None:
        from detloss_cli.cli.from_run import merged
        from detloss_cli.inputs.run_folder import read_run

        given = merged(
            given,
            read_run(run, root=given.get("root"), limits=given.get("limits", DEFAULT)),
            NEEDS.get(command, ("data", "hyp", "model", "imgsz", "batch_size")),
        )
    _one_class(given)
    if given.get("batch_size", 0) is None:
        del given["batch_size"]
    return Request(command=command, **given)


def _one_class(given: dict[str, Any]) -> None:
    """With `single_cls` there is one class, whoever says so; `--nc 1` says the same once more.

    Raises:
        DetlossError: `--nc` with another number.
    """
    if given.get("single_cls") and given.get("nc") is not None:
        if given["nc"] != 1:
            source = given.get("origins", {}).get("single_cls")
            says, hint = (f"single_cls of {source}", "leave it out") if source else ("--single-cls", "give one of them")
            raise DetlossError(f"contradicts {says}", where=f"--nc {given['nc']}", hint=hint)
        given["nc"] = None


def _begun(command: str, given: dict[str, Any]) -> Scanner:
    """Who looks into the folders of DATA; the large ones are being scanned from now on."""
    data: tuple[str, ...] = given.get("data") or ()
    mapper = given.get("mapper", serial)
    if mapper is serial or len(data) != 1:
        return scan
    from detloss_cli.inputs.ahead import scanner_of

    split = given.get("split") or ("all" if command in EVERY_SPLIT else "train")
    limits, outside = given.get("limits", DEFAULT), bool(given.get("allow_outside"))
    return scanner_of(data[0], None if split == "all" else split, given.get("root"), limits, mapper, allow_outside=outside)


def switched(**switches: bool | float | None) -> dict[str, bool | float]:
    """Switches of the loss that were given; None for those that were not."""
    return {name: value for name, value in switches.items() if value is not None}
