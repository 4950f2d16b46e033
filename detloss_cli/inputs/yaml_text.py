"""YAML as the trainers read it, with places, and without anything that can run, refer or explode."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

import yaml

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.yaml_loader import MAX_DEPTH, FaultLog, Loader, Places, TooDeep
from detloss_cli.inputs.yaml_node import Node

MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document. root: None if it is empty or could not be read; then `faults` says which."""

    path: str
    root: Node | None
    faults: tuple[Fault, ...]


def read_yaml(path: str, *, max_bytes: int = MAX_BYTES) -> YamlDocument:
    """Read a file.

    Raises:
        DetlossError: it cannot be opened or is no regular file.
    """
    try:
        body = _read_bytes(path, max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DetlossError(f"cannot be read: {reason}", where=path, hint="check the path and its permissions") from error
    if len(body) > max_bytes:
        fault = Fault("yaml-too-large", path, None, None, "", f"more than {max_bytes:,} bytes")
        return YamlDocument(path, None, (fault,))
    return parse_yaml(body, path)


def parse_yaml(body: bytes, path: str) -> YamlDocument:
    """Parse bytes. Never raises over what they hold.

    Differs: the trainers' loaders resolve aliases and merges, keep the last of equal keys silently and count other line separators than LF.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        column = error.start - body.rfind(b"\n", 0, error.start)
        fault = Fault("yaml-encoding", path, line, column, repr(body[error.start : error.start + 4])[2:-1], "not UTF-8")
        return YamlDocument(path, None, (fault,))
    places = Places(text)
    log = FaultLog(path, places)
    root: Node | None = None
    try:
        root = Loader(text, log).document()
    except TooDeep as error:
        log.add("yaml-too-deep", error.index, "", f"more than {MAX_DEPTH} levels")
    except yaml.reader.ReaderError as error:
        log.add("yaml-syntax", error.position, text[error.position : error.position + 1], "a character that YAML does not allow")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        index = mark.index if mark else 0
        detail = ", ".join(part for part in (error.context, error.problem) if part)
        log.add("yaml-syntax", index, places.rest_of_line(index), detail)
    return YamlDocument(path, root, log.faults())


def _read_bytes(path: str, limit: int) -> bytes:
    # O_NONBLOCK: opening a FIFO must not wait for a writer
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        return file.read(limit)
