"""How much of an input is read before the reader stops and says so, and `--limit NAME=VALUE`, which moves that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.nearest import nearest

OPTION = "--limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on what one input may ask for.

    label_bytes, line_bytes, list_bytes: bytes of a label file, a line of one, a list or annotation file. rows: rows of one label file.
    names: class names, and so the bound on class ids where nothing says how many classes there are. files: files below one folder.
    depth: folders below a source. yaml_bytes, yaml_depth: of a data, hyp, model or run YAML. preds_bytes: of head outputs in memory;
    what is mapped may be larger. run_bytes: of a saved run in memory.
    """

    label_bytes: int = 16 << 20
    line_bytes: int = 64 << 10
    list_bytes: int = 1 << 30
    rows: int = 100_000
    names: int = 100_000
    files: int = 10_000_000
    depth: int = 1_000
    yaml_bytes: int = 1 << 20
    yaml_depth: int = 64
    preds_bytes: int = 2 << 30
    run_bytes: int = 1 << 30


DEFAULT = Limits()
# The kinds of fault that say that a limit left something unread.
UNREAD_KINDS = frozenset({"label-too-big", "line-too-long", "too-many-rows", "too-many-files", "list-too-big", "folder-too-deep"})
# Beyond these a limit would not protect: the parser of YAML calls itself for each level, ids are counted in columns.
MOST: Mapping[str, int] = {"names": 999_999, "yaml_depth": 256}
MOST_OF_ALL = 1 << 50
UNITS: Mapping[str, int] = {"": 1, "B": 1} | {
    unit: 1 << 10 * power for power, letter in enumerate("KMGT", 1) for unit in (letter, f"{letter}B", f"{letter}IB")
}
VALUE = re.compile(r"(\d{1,16}) ?([A-Za-z]*)", re.ASCII)


def listed(limits: Limits) -> dict[str, str]:
    """Every limit by its name, as one writes it: `label-bytes` is `16MiB`."""
    return {name.replace("_", "-"): _written(name, value) for name, value in asdict(limits).items()}


def parse_limits(texts: Iterable[str], before: Limits = DEFAULT) -> Limits:
    """Limits with those that were given in their place; of one that is given twice the last counts.

    Args:
        texts: `NAME=VALUE`, or several of them with commas between; bytes may have a unit of 1024: `label-bytes=64MiB`.

    Raises:
        DetlossError: no limit of that name, or a value that is none.
    """
    given: dict[str, int] = {}
    for text in (part.strip() for one in texts for part in one.split(",")):
        word, _, value = (part.strip() for part in text.partition("="))
        name = word.replace("-", "_")
        if name not in _NAMES:
            near = nearest(word, [known.replace("_", "-") for known in _NAMES])
            known = ", ".join(f"{one}={now}" for one, now in listed(before).items())
            hint = f"did you mean {near}? There are {known}" if near else f"there are {known}"
            raise DetlossError(f"no limit is called {word!r}", where=f"{OPTION} {text}", hint=hint)
        given[name] = _value(name, text, value)
    return replace(before, **given)


def raised(name: str, needed: int) -> str:
    """The option that lets `needed` through: `--limit label-bytes=32MiB`.

    Args:
        name: a field of `Limits`.
    """
    value = 1 << max(0, needed - 1).bit_length() if name.endswith("_bytes") else needed
    return f"{OPTION} {name.replace('_', '-')}={_written(name, min(value, MOST.get(name, MOST_OF_ALL)))}"


_NAMES = tuple(field.name for field in fields(Limits))


def _value(name: str, text: str, value: str) -> int:
    match, example = VALUE.fullmatch(value), "64MiB" if name.endswith("_bytes") else str(getattr(DEFAULT, name))
    unit = UNITS.get(match[2].upper()) if match and (name.endswith("_bytes") or not match[2]) else None
    if match is None or unit is None:
        raise DetlossError(f"{value!r} is no limit", where=f"{OPTION} {text}", hint=f"{OPTION} {name.replace('_', '-')}={example}")
    number, most = int(match[1]) * unit, MOST.get(name, MOST_OF_ALL)
    if not 1 <= number <= most:
        raise DetlossError(f"{value} is out of range", where=f"{OPTION} {text}", hint=f"from 1 to {_written(name, most)}")
    return number


def _written(name: str, value: int) -> str:
    if name.endswith("_bytes"):
        for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
            if value and not value % (1 << power):
                return f"{value >> power}{unit}"
    return str(value)
