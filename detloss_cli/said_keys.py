"""Hyperparameters that the command line overwrites: `box=0.1`, as users of yolo type them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from detloss_cli.checks.hyp_facts import role
from detloss_cli.errors import DetlossError
from detloss_cli.families.hyp import HypKey
from detloss_cli.inputs.nearest import nearest

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def said_keys(words: Sequence[str], family: str, profile: str, keys: Sequence[HypKey], aliases: Mapping[str, str]) -> dict[str, Any]:
    """The values of `key=value` words, each as its key wants it. The last one counts.

    Args:
        keys: what the loss of the family reads. aliases: other names of them in this profile.

    Raises:
        DetlossError: a key that the loss does not read, or a value that is none for it.
    """
    known = {key.name: key for key in keys}
    known |= {other: known[key] for other, key in aliases.items() if key in known}
    said: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name or not text:
            raise DetlossError("expected KEY=VALUE", where=f"--set {word}", hint="--set box=0.1")
        key = known.get(name)
        if key is None:
            raise _unread(word, name, family, profile, known)
        said[key.name] = _value(word, text.strip(), key)
    return said


def _unread(word: str, name: str, family: str, profile: str, known: Collection[str]) -> DetlossError:
    who = role(name, family, known, profile)
    if who in ("trainer", "overwritten"):
        return DetlossError(f"{name} is read by the trainer, not by its loss", where=word, hint="leave it out: it changes nothing here")
    if who == "dead":
        return DetlossError(f"no release of {family} reads {name} any more", where=word, hint="leave it out: it changes nothing")
    if who == "other family":
        return DetlossError(f"{family} does not read {name}, other families do", where=word, hint="leave it out, or choose the --family")
    near = nearest(name, sorted(known))
    hint = f"did you mean {near}?" if near else f"one of {', '.join(sorted(known))}, or an option"
    return DetlossError(f"{family} has no hyperparameter {name!r}", where=word, hint=hint)


def _value(word: str, text: str, key: HypKey) -> float | str | bool:
    if isinstance(key.default, bool):
        if text.lower() not in (*TRUE, *FALSE):
            raise DetlossError("neither true nor false", where=word, hint=f"{key.name}=true")
        return text.lower() in TRUE
    if key.choices:
        if text not in key.choices:
            raise DetlossError(f"no form of {key.name}", where=word, hint=f"one of {', '.join(key.choices)}")
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise DetlossError("not a number", where=word, hint=f"{key.name}={key.default}")
    return number
