"""The settings of a project: `detloss.yaml`, or `[tool.detloss]` of a `pyproject.toml`. Every mistake in it is found at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from detloss_cli.errors import DetlossError, DetlossErrors
from detloss_cli.inputs.limits import parse_limits
from detloss_cli.inputs.nearest import nearest
from detloss_cli.inputs.small_file import read_bytes
from detloss_cli.inputs.thresholds import KINDS, read_thresholds
from detloss_cli.inputs.yaml_node import Node

NAMES = ("detloss.yaml", "pyproject.toml")
# What a project may settle; where output goes is said on the command line alone.
PATHS = frozenset({"data", "root", "hyp", "model", "image-sizes", "baseline"})
OPTIONS = frozenset(
    {"split", "names", "loader", "imgsz", "family", "profile", "trainer", "batch-size", "geometry", "head", "device", "seed"}
    | {"format", "fail-on", "max-findings", "select", "ignore", "limit"}
    | PATHS
)
SEVERAL = frozenset({"data", "select", "ignore"})
COMMA = frozenset({"select", "ignore"})
Entry = tuple[str, Any, str]  # key, value, where it stands


@dataclass(frozen=True, slots=True)
class Config:
    """path: None if there is no file. options: the text of each option as the command line would have it, lists where it takes several."""

    path: str | None
    options: Mapping[str, str | list[str]]


def find_config(folder: str = ".") -> str | None:
    """The file that holds for a folder: `detloss.yaml` before a `pyproject.toml` that has a section for detloss."""
    for name in NAMES:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and (name == NAMES[0] or b"[tool.detloss" in (read_bytes(path) or b"")):
            return os.path.normpath(path)
    return None


def read_config(path: str | None) -> Config:
    """The settings of a file, checked.

    Raises:
        DetlossErrors: everything that is wrong with it.
    """
    if path is None:
        return Config(None, {})
    body = read_bytes(path)
    if body is None:
        raise DetlossError("too large for a configuration", where=path, hint="1 MiB is the most")
    entries = list(_of_toml(body, path) if path.endswith(".toml") else _of_yaml(body, path))
    options: dict[str, str | list[str]] = {}
    wrong: list[DetlossError] = []
    for key, value, where in entries:
        try:
            options[key] = _option(key, value, os.path.dirname(path))
        except ValueError as error:
            wrong.append(DetlossError(f"{key}: {error}", where=where))
    if wrong:
        raise DetlossErrors(wrong)
    return Config(path, options)


def _of_toml(body: bytes, path: str) -> Iterator[Entry]:
    try:
        whole = tomllib.loads(body.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DetlossError(f"no TOML: {error}", where=path) from error
    section = whole.get("tool", {}).get("detloss", {}) if path.endswith("pyproject.toml") else whole
    if not isinstance(section, dict):
        raise DetlossError("[tool.detloss] is no table", where=path)
    yield from ((str(key), value, f"{path} [tool.detloss]") for key, value in section.items())


def _of_yaml(body: bytes, path: str) -> Iterator[Entry]:
    from detloss_cli.inputs.yaml_text import parse_yaml  # where there is no configuration, nothing of YAML is loaded

    document = parse_yaml(body, path)
    if document.faults:
        raise DetlossErrors(
            [
                DetlossError(f"{one.kind.replace('-', ' ')}: {one.token} {one.detail}".strip(), where=_place(path, one))
                for one in document.faults
            ]
        )
    root = document.root
    if root is None or root.missing:
        return
    if root.kind != "mapping":
        raise DetlossError("no settings: it has to be a mapping of options to values", where=f"{path}:{root.line}")
    for key, node, value in root.keyed():
        yield key, _plain(value), f"{path}:{node.line}:{node.column}"


def _place(path: str, one: Any) -> str:
    return f"{path}:{one.line}:{one.column}" if one.line else path


def _plain(node: Node) -> Any:
    """Scalars as they are written: `0.5%`, `8.0` and `yes` mean here what their author typed."""
    if node.kind == "sequence":
        return [_plain(item) for item in node.items]
    if node.kind == "mapping":
        return {key: _plain(value) for key, _, value in node.keyed()}
    return None if node.missing else node.text


def _option(key: str, value: Any, folder: str) -> str | list[str]:
    """One setting as the command line would have it.

    Raises:
        ValueError: nothing has this name, or the value cannot be its.
    """
    if key not in OPTIONS and key not in KINDS:
        near = nearest(key, sorted(OPTIONS | set(KINDS)))
        raise ValueError("no such setting" + (f", did you mean {near}?" if near else ", detloss check --help lists them"))
    if value is None:
        raise ValueError("has no value")
    if key == "limit":
        return _limits(value)
    if KINDS.get(key) == "shares":
        if not isinstance(value, dict):
            raise ValueError("wants terms or levels with their bounds: {obj: 60%}")
        texts = [f"{what}={bound}" for what, bound in value.items()]
        _checked(key, texts)
        return texts
    if isinstance(value, list) and key in SEVERAL and all(isinstance(item, str) for item in value):
        return ",".join(value) if key in COMMA else [_path(item, folder) for item in value]
    if isinstance(value, list | dict):
        raise ValueError("wants one value")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if key in KINDS:
        _checked(key, text)
    text = _path(text, folder) if key in PATHS else text
    return [text] if key == "data" else text


def _checked(key: str, given: str | list[str]) -> None:
    _, wrong = read_thresholds({key: given})
    if wrong:
        raise ValueError("; ".join(words for _, words in wrong))


def _limits(value: Any) -> list[str]:
    """`limit: {rows: 5000}`, `limit: rows=5000`, or a list of such words."""
    texts = [f"{name}={most}" for name, most in value.items()] if isinstance(value, dict) else value if isinstance(value, list) else [value]
    try:
        parse_limits(map(str, texts))
    except DetlossError as error:
        raise ValueError(f"{error.message}, {error.hint}") from error
    return [str(text) for text in texts]


def _path(text: str, folder: str) -> str:
    """A path as it stands to the file that names it; the name of something built in stays."""
    beside = os.path.join(folder, text)
    return beside if os.path.exists(beside) else text
