"""YAML as the trainers read it, with places, and without anything that can run, refer or explode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import yaml

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.small_file import read_bytes
from detloss_cli.inputs.yaml_loader import FaultLog, Loader, Places, TooDeep
from detloss_cli.inputs.yaml_node import Node


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document. root: None if it is empty or could not be read; then `faults` says which."""

    path: str
    root: Node | None
    faults: tuple[Fault, ...]


def read_yaml(path: str, limits: Limits = DEFAULT) -> YamlDocument:
    """Read a file.

    Raises:
        DetlossError: it cannot be opened or is no regular file.
    """
    body = read_bytes(path, max_bytes=limits.yaml_bytes)
    if body is None:
        fault = Fault("yaml-too-large", path, None, None, "", f"more than {limits.yaml_bytes:,} bytes")
        return YamlDocument(path, None, (fault,))
    return parse_yaml(body, path, limits.yaml_depth)


@lru_cache(maxsize=2)  # a data.yaml is asked for by what scans ahead, by what chooses the splits and by what reads them
def parse_yaml(body: bytes, path: str, max_depth: int = DEFAULT.yaml_depth) -> YamlDocument:
    """Parse bytes. Never raises over what they hold.

    Args:
        max_depth: levels of lists and mappings.

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
        root = Loader(text, log, max_depth).document()
    except TooDeep as error:
        log.add("yaml-too-deep", error.index, "", f"more than {max_depth} levels")
    except yaml.reader.ReaderError as error:
        log.add("yaml-syntax", error.position, text[error.position : error.position + 1], "a character that YAML does not allow")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        index = mark.index if mark else 0
        detail = ", ".join(part for part in (error.context, error.problem) if part)
        log.add("yaml-syntax", index, places.rest_of_line(index), detail)
    return YamlDocument(path, root, log.faults())
