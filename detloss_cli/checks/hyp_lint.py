"""A hyp file against what its trainer does with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from detloss_cli.checks.hyp_facts import FACTS, NO_FACTS, aliases_of, dead_of, readers
from detloss_cli.checks.judge import judge
from detloss_cli.finding import Finding
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.hyp_yaml import HypFile, Key
from detloss_cli.inputs.nearest import nearest

# the gains of two families differ by 75 times and more, those of one family by less than 5
OTHER_SCALE = 15.0
SAME_SCALE = 5.0


def lint(file: HypFile, family: str, profile: str, keys: Sequence[Key]) -> Iterator[Finding]:
    """Findings about the keys and values of a file for one family and release; those about the file itself are `judge(file.faults)`."""
    return judge(hyp_faults(file, family, keys, aliases_of(family, profile), profile))


def hyp_faults(
    file: HypFile, family: str, keys: Sequence[Key], aliases: Mapping[str, str] | None = None, profile: str = ""
) -> Iterator[Fault]:
    """What is odd about a file for one family.

    keys: the family's own. aliases: other name in a file -> key. profile: the release, "" for what holds for all of them.
    """
    if not file.lines:
        return
    facts, dead = FACTS.get(family, NO_FACTS), dead_of(family, profile)
    other_names = aliases or {}
    known = {key.name for key in keys} | set(other_names) | facts.required | set(dead) | set(facts.overwritten) | facts.other
    present = set(file.lines) | {other_names[name] for name in file.lines if name in other_names}
    for name in sorted(facts.required - present):
        yield Fault("hyp-key-missing", file.path, None, None, name, family)
    for name, line in file.lines.items():
        value = file.values.get(name)
        if name in dead:
            yield Fault("hyp-key-dead", file.path, line, 1, name, dead[name])
        elif name in facts.overwritten and value:
            yield Fault("hyp-key-overwritten", file.path, line, 1, name, facts.overwritten[name])
        elif name not in known:
            yield _unknown(file, name, family, known)
        elif name == "anchors" and value:
            yield Fault("hyp-anchors", file.path, line, 1, f"{value}")
    for key in keys:
        if key.name in dead:
            continue
        yield from _in_range(file, family, key, other_names)


def _unknown(file: HypFile, name: str, family: str, known: set[str]) -> Fault:
    others = readers(name, family)
    if others:
        return Fault("hyp-key-foreign", file.path, file.lines[name], 1, name, f"{', '.join(others)}, not by {family}")
    return Fault("hyp-key-unknown", file.path, file.lines[name], 1, name, nearest(name, sorted(known)))


def _in_range(file: HypFile, family: str, key: Key, aliases: Mapping[str, str]) -> Iterator[Fault]:
    names = [key.name, *(other for other, name in aliases.items() if name == key.name)]
    name = next((name for name in names if name in file.values), None)
    if name is None:
        return
    value, line = file.values[name], file.lines[name]
    if isinstance(value, bool | str | None) or not math.isfinite(value):
        return
    typical = FACTS.get(family, NO_FACTS).typical
    gain = typical.get(key.name)
    if (name == "anchor_t" and value <= 1) or (name == "iou_t" and value >= 1):
        yield Fault("hyp-no-match", file.path, line, 1, name, f"{value}")
    elif value < 0 and (gain is not None or name.endswith("_pw")):
        yield Fault("hyp-negative", file.path, line, 1, name, f"{value}")
    elif gain is not None and value > 0 and not 1 / OTHER_SCALE < value / gain < OTHER_SCALE:
        yield Fault("hyp-other-scale", file.path, line, 1, name, _scale(name, float(value), gain, family))
    elif (key.low is not None and value < key.low) or (key.high is not None and value > key.high):
        yield Fault("hyp-range", file.path, line, 1, name, f"{value} is outside {key.low} to {key.high}")


def _scale(name: str, value: float, gain: float, family: str) -> str:
    ratio = f"{value / gain:.3g} times" if value > gain else f"1/{gain / value:.3g} of"
    fitting = [
        other for other, facts in FACTS.items() if name in facts.typical and 1 / SAME_SCALE <= value / facts.typical[name] <= SAME_SCALE
    ]
    like = f", the scale of {' and '.join(fitting)}" if fitting else ""
    return f"{value:g} is {ratio} what {family} takes ({gain:g}){like}"
