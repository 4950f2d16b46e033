"""A trainer's run folder: what it was told, the epochs it logged, and which release wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.run_paths import Places
from detloss_cli.inputs.training import Said, Training, interpret
from detloss_cli.inputs.yaml_node import Node
from detloss_cli.inputs.yaml_text import read_yaml

ARGS, OPT, HYP, LOG, OLD_LOG = "args.yaml", "opt.yaml", "hyp.yaml", "results.csv", "results.txt"
# A key of the settings file, and the release that brought it; the first that is there decides.
ULTRALYTICS = (
    ("cls_pw", "8.4.190"),
    ("rle", "8.4.0"),
    ("end2end", "8.4.0"),
    ("compile", "8.3.200"),
    ("cutmix", "8.3.200"),
    ("copy_paste_mode", "8.3.0"),
    ("task", "8.1"),
)
YOLOV5 = (
    ("seed", "6.2"),
    ("cos_lr", "6.1"),
    ("imgsz", "6.0"),
    ("linear_lr", "5.0"),
    ("quad", "4.0"),
    ("img_size", "3.1"),
)
LOADERS = {"7.0": "yolov5-7.0", "6.2": "yolov5-7.0", "6.1": "yolov5-6.1"}


def read_run(path: str, *, root: str | None = None, limits: Limits = DEFAULT) -> Training:
    """What a run folder says.

    Args:
        path: the folder, or a file in it. root: `--root`, for data that has moved.

    Raises:
        DetlossError: it cannot be opened, or no trainer wrote it.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    if not os.path.exists(path):
        raise DetlossError("no such run folder", where=f"--run {path}", hint="the folder with opt.yaml or args.yaml, as runs/train/exp")
    present = {name for name in (ARGS, OPT, HYP, LOG, OLD_LOG) if os.path.isfile(os.path.join(folder, name))}
    if not present:
        hint = "a run has args.yaml, or opt.yaml and hyp.yaml"
        raise DetlossError("no trainer's run", where=f"--run {path}", hint=hint)
    if ARGS in present or (LOG in present and not present & {OPT, HYP} and _logs_dfl(folder)):
        training = _ultralytics(path, folder, present, root, limits)
    else:
        training = _yolov5_or_7(path, folder, present, root, limits)
    log = next((name for name in (LOG, OLD_LOG) if name in present), None)
    training.log = os.path.join(folder, log) if log else None
    training.files = tuple(name for name in (ARGS, OPT, HYP, LOG, OLD_LOG) if name in present)
    return training


def _ultralytics(path: str, folder: str, present: set[str], root: str | None, limits: Limits) -> Training:
    training = Training(path, "ultralytics", missing=tuple(name for name in (ARGS, LOG) if name not in present))
    said: dict[str, Said] = {}
    if ARGS in present:
        said, _, training.faults = read_settings(os.path.join(folder, ARGS), limits)
        training.put("hyp", os.path.join(folder, ARGS), ARGS)
        _release(training, "yolov8", said, ULTRALYTICS, ARGS)
    else:
        training.put("family", "yolov8", f"columns of {LOG}")
        training.asked["hyp"] = f"{ARGS} is missing"
    training.put("loader", "ultralytics-8.4", "family of the run")
    interpret(training, said, Places(folder, root), complete=ARGS in present)
    return training


def _yolov5_or_7(path: str, folder: str, present: set[str], root: str | None, limits: Limits) -> Training:
    training = Training(path, "yolov5")
    said: dict[str, Said] = {}
    sections: set[str] = set()
    keys: Mapping[str, Said] = {}
    if OPT in present:
        said, sections, training.faults = read_settings(os.path.join(folder, OPT), limits)
    if HYP in present:
        keys, _, _ = read_settings(os.path.join(folder, HYP), limits)
    if "v5_metric" in said or "loss_ota" in keys:
        training.trainer = "yolov7"
    _family(training, said, sections, keys, OPT in present)
    logs = (LOG,) if training.trainer == "yolov5" and training.fields.get("profile") not in ("5.0", "4.0", "3.1", "3.0") else (OLD_LOG,)
    training.missing = tuple(name for name in (OPT, HYP, *logs) if name not in present)
    if HYP in present:
        training.put("hyp", os.path.join(folder, HYP), HYP)
    elif "hyp" in sections:
        training.put("hyp", os.path.join(folder, OPT), f"{OPT} hyp")
        training.put("hyp_section", "hyp", OPT)
    elif "hyp" not in said:
        training.asked["hyp"] = f"{HYP} is missing"
    interpret(training, said, Places(folder, root), complete=OPT in present)
    if OPT not in present:
        training.asked = dict.fromkeys(training.asked, f"{OPT} is missing")
    return training


def _family(training: Training, said: Mapping[str, Said], sections: set[str], keys: Mapping[str, Said], complete: bool) -> None:
    if training.trainer == "yolov7":
        why = f"key v5_metric of {OPT}" if "v5_metric" in said else f"key loss_ota of {HYP}"
        training.put("family", "yolov7", why)
        training.put("profile", "ota", why)
        training.put("loader", "yolov7", why)
        return
    if "giou" in keys and "anchor_t" not in keys:
        training.put("family", "yolov3-spp", f"key giou of {HYP}")
        return
    if "hyp" in sections:
        training.put("family", "yolov5", f"keys of {OPT}")
        training.put("profile", "7.0", f"{OPT} holds the whole hyp")
    elif complete:
        _release(training, "yolov5", said, YOLOV5, OPT)
        if "giou" in keys:
            training.put("profile", "3.0", f"key giou of {HYP}")
    else:
        training.put("family", "yolov5", f"keys of {HYP}" if keys else f"columns of {LOG}")
    profile = training.fields.get("profile", "7.0")
    training.put("loader", LOADERS.get(profile, "yolov5-4.0"), "release of the run")


def _release(training: Training, family: str, said: Mapping[str, Said], keys: tuple[tuple[str, str], ...], name: str) -> None:
    training.put("family", family, f"keys of {name}")
    found = next(((key, release) for key, release in keys if key in said), None)
    if found is not None:
        training.put("profile", found[1], f"key {found[0]} of {name}")


def read_settings(path: str, limits: Limits = DEFAULT) -> tuple[dict[str, Said], set[str], tuple[Fault, ...]]:
    """Scalars and lists by key, the keys that hold mappings, and what is wrong with the file."""
    document = read_yaml(path, limits)
    said: dict[str, Said] = {}
    sections: set[str] = set()
    faults = list(document.faults)
    if document.root is None or document.root.kind != "mapping":
        if not faults:
            faults.append(Fault("yaml-not-a-mapping", path, None, None, "", "empty file" if document.root is None else document.root.kind))
        return said, sections, tuple(faults)
    for key, node, value in document.root.keyed():
        if value.kind == "mapping":
            sections.add(key)
        elif not value.refused:
            said[key] = Said(_plain(value), os.path.basename(path), node.line)
    return said, sections, tuple(faults)


def _plain(node: Node) -> Any:
    return [_plain(item) for item in node.items] if node.kind == "sequence" else node.value


def _logs_dfl(folder: str) -> bool:
    with open(os.path.join(folder, LOG), "rb") as file:
        return b"dfl_loss" in file.read(4096).split(b"\n", 1)[0]
