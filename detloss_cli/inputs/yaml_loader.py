"""PyYAML's pure loader, driven event by event: it decides what a word means (YAML 1.1), its constructors for tags are out of reach."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Any

import yaml

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.yaml_node import Node, Scalar

MAX_FAULTS_OF_A_KIND = 100
TOKEN = 80


class Places:
    """Character offsets to lines and columns, both 1-based, lines ended by LF alone."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.breaks = [i for i, character in enumerate(text) if character == "\n"]

    def of(self, index: int) -> tuple[int, int]:
        line = bisect_left(self.breaks, index)
        return line + 1, index - (self.breaks[line - 1] if line else -1)

    def rest_of_line(self, index: int) -> str:
        return self.text[index : index + TOKEN].split("\n", 1)[0].rstrip("\r")


class FaultLog:
    """Faults in order of discovery, each kind at most `MAX_FAULTS_OF_A_KIND` times."""

    def __init__(self, path: str, places: Places) -> None:
        self.path = path
        self.places = places
        self.found: list[Fault] = []
        self.counts: Counter[str] = Counter()

    def add(self, kind: str, index: int, token: str, detail: str = "") -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= MAX_FAULTS_OF_A_KIND:
            line, column = self.places.of(index)
            self.found.append(Fault(kind, self.path, line, column, token[:TOKEN], detail))

    def faults(self) -> tuple[Fault, ...]:
        more = (
            Fault(kind, self.path, None, None, "", f"and {count - MAX_FAULTS_OF_A_KIND:,} more")
            for kind, count in self.counts.items()
            if count > MAX_FAULTS_OF_A_KIND
        )
        return (*self.found, *more)


class TooDeep(Exception):
    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Loader(yaml.SafeLoader):
    """The pure safe loader up to its events. Nodes are built here, so that aliases and tags never reach a constructor."""

    def __init__(self, text: str, log: FaultLog, max_depth: int) -> None:
        super().__init__(text)
        self.log = log
        self.max_depth = max_depth
        self.alias_line = 0

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level >= self.max_depth:
            raise TooDeep(self.index)
        super().fetch_flow_collection_start(token)

    def add_indent(self, column: int) -> bool:
        if len(self.indents) > self.max_depth:
            raise TooDeep(self.index)
        return bool(super().add_indent(column))

    def _next(self) -> Any:
        return self.get_event()  # type: ignore[no-untyped-call]

    def _peek(self) -> Any:
        return self.peek_event()  # type: ignore[no-untyped-call]

    def document(self) -> Node | None:
        """The only document of the stream, None if there is none."""
        self._next()
        if self.check_event(yaml.StreamEndEvent):
            return None
        self._next()
        root = self._node(1)
        self._next()
        if not self.check_event(yaml.StreamEndEvent):
            mark = self._next().start_mark
            raise yaml.composer.ComposerError("expected a single document", None, "but found another one", mark)
        return root

    def _node(self, depth: int) -> Node:
        event = self._next()
        index = event.start_mark.index
        if depth > self.max_depth:
            raise TooDeep(index)
        place = self.log.places.of(index)
        if isinstance(event, yaml.AliasEvent):
            if place[0] != self.alias_line:  # a bomb has dozens in a line
                self.log.add("yaml-alias", index, f"*{event.anchor}")
            self.alias_line = place[0]
            return Node("scalar", *place, text=f"*{event.anchor}", refused=True)
        refused = event.tag is not None
        if refused:
            self.log.add("yaml-tag", index, event.tag)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not self.check_event(yaml.SequenceEndEvent):
                items.append(self._node(depth + 1))
            self._next()
            return Node("sequence", *place, items=tuple(items), refused=refused)
        if isinstance(event, yaml.MappingStartEvent):
            return Node("mapping", *place, entries=self._entries(depth), refused=refused)
        plain = event.implicit[0]
        value = None if refused else self._scalar(event, index)
        return Node("scalar", *place, value=value, text=event.value, plain=plain, refused=refused)

    def _entries(self, depth: int) -> tuple[tuple[Node, Node], ...]:
        entries: dict[Scalar, tuple[Node, Node]] = {}
        while not self.check_event(yaml.MappingEndEvent):
            index = self._peek().start_mark.index
            key = self._node(depth + 1)
            value = self._node(depth + 1)
            if key.refused:
                continue
            if key.kind != "scalar":
                self.log.add("yaml-syntax", index, self.log.places.rest_of_line(index), "a key that is a list or a mapping")
            elif key.plain and key.text == "<<":
                self.log.add("yaml-merge", index, "<<")
            else:
                if key.value in entries:
                    self.log.add("yaml-duplicate-key", index, key.text, f"first in line {entries[key.value][0].line}")
                entries[key.value] = (key, value)
        self._next()
        return tuple(entries.values())

    def _scalar(self, event: Any, index: int) -> Scalar:
        tag = self.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        convert = _CONVERT.get(tag)
        if convert is None:
            return str(event.value)
        try:
            value: Scalar = convert(self, node)
        except (ValueError, OverflowError) as error:
            self.log.add("yaml-syntax", index, event.value, f"looks like a number or a date and is none: {str(error)[:TOKEN]}")
            return str(event.value)
        return value


_CONVERT: dict[str, Any] = {
    "tag:yaml.org,2002:null": yaml.SafeLoader.construct_yaml_null,
    "tag:yaml.org,2002:bool": yaml.SafeLoader.construct_yaml_bool,
    "tag:yaml.org,2002:int": yaml.SafeLoader.construct_yaml_int,
    "tag:yaml.org,2002:float": yaml.SafeLoader.construct_yaml_float,
    "tag:yaml.org,2002:timestamp": yaml.SafeLoader.construct_yaml_timestamp,
}
