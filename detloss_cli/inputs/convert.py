"""VOC and other formats that have no reader here: turned into COCO by `panlabel`, which is an extra."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sysconfig
import tempfile

from detloss_cli.errors import DetlossError

PROGRAM = "panlabel"
SUFFIXES = frozenset({".xml", ".csv", ".jsonl", ".ndjson", ".manifest", ".tfrecord", ".labels"})
SECONDS = 600


class NotConverted(Exception):
    """The program gave the input up; the text is its own first line."""


def is_foreign(path: str) -> bool:
    """True for a file of such a format, or a folder of VOC annotations: `.xml` files and no label rows beside them."""
    if not os.path.isdir(path):
        return os.path.splitext(path)[1].lower() in SUFFIXES
    names = _names(path)
    if any(name in ("labels", "images", "train") or name.endswith(".txt") for name in names):
        return False
    return any(name.endswith(".xml") for name in (*names, *_names(os.path.join(path, "Annotations"))))


def executable() -> str | None:
    """The program of this environment, never one that stands on the search path or beside the data."""
    path = os.path.join(sysconfig.get_path("scripts"), PROGRAM + (".exe" if os.name == "nt" else ""))
    return path if os.path.isfile(path) else None


def to_coco(path: str) -> str:
    """A COCO file that holds what `path` does; it is gone when the process ends.

    Raises:
        DetlossError: the program is not installed.
        NotConverted: it cannot read the input.
    """
    program = executable()
    if program is None:
        raise DetlossError(
            "VOC and formats other than YOLO, COCO, darknet and keras-yolo3 need panlabel",
            where=path,
            hint="pip install 'detloss[convert]'",
        )
    folder = tempfile.mkdtemp(prefix="detloss-convert-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = os.path.join(folder, "instances.json")
    command = [program, "convert", "--from", "auto", "--to", "coco", "--input", os.path.abspath(path), "--output", target]
    try:
        done = subprocess.run(
            [*command, "--allow-lossy", "--no-validate"],  # what is wrong with a box is for us to say, box by box
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            env={"LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotConverted(f"{PROGRAM}: {type(error).__name__}") from error
    if done.returncode or not os.path.isfile(target):
        lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        raise NotConverted(lines[0][:200] if lines else f"{PROGRAM} ended with {done.returncode}")
    return target


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
