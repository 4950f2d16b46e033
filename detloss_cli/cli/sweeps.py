"""--sweep: which settings take which values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from detloss_cli.cli.request import request
from detloss_cli.cli.spelling import SPELLINGS
from detloss_cli.errors import DetlossError

if TYPE_CHECKING:
    from detloss_cli.diagnose.loss import Outcome
    from detloss_cli.resolve import Request

OPTION = "--sweep"
HOW = "imgsz=320:1280:320, anchor_t=2:8:0.5 or model=yolov5s,yolov5m"
MOST_KEYS, MOST_VALUES = 2, 100


def axes(given: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Keys and their values as they were typed.

    Raises:
        DetlossError: no key, no values, too many of either.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        name, equals, words = text.partition("=")
        name = name.strip().lstrip("-")
        key = SPELLINGS.get(f"--{name.replace('_', '-')}", name).lstrip("-")
        if not equals or not key:
            raise DetlossError("a key and its values are needed", where=f"{OPTION} {text}", hint=HOW)
        if key in found:
            raise DetlossError(f"{key} stands twice", where=OPTION, hint="give all its values at once")
        found[key] = tuple(dict.fromkeys(_values(text, words)))
    if len(found) > MOST_KEYS:
        raise DetlossError(f"{len(found)} keys, {MOST_KEYS} at most", where=OPTION, hint="one makes a table, two make a matrix")
    return list(found.items())


def _values(text: str, words: str) -> list[str]:
    where = f"{OPTION} {text}"
    parts = [part.strip() for part in words.split(":")]
    numbers = [_number(part) for part in parts]
    if len(parts) > 1 and all(number is not None for number in numbers):
        if len(parts) != 3:
            raise DetlossError("a range is first:last:step", where=where, hint=HOW)
        return _range(where, *(number for number in numbers if number is not None))
    listed = [word.strip() for word in words.split(",")]
    if not all(listed):
        raise DetlossError("there is no value" if not words.strip() else "a value is empty", where=where, hint=HOW)
    if len(listed) > MOST_VALUES:
        raise DetlossError(f"{len(listed):,} values, {MOST_VALUES} at most", where=where, hint="leave some out")
    return listed


def _range(where: str, first: Decimal, last: Decimal, step: Decimal) -> list[str]:
    """From first to last, both included where the step meets it, without the drift of binary fractions."""
    if step <= 0 or last < first:
        raise DetlossError("the range is empty", where=where, hint="first:last:step, with first below last and a step above 0")
    count = int((last - first) / step) + 1
    if count > MOST_VALUES:
        raise DetlossError(f"{count:,} values, {MOST_VALUES} at most", where=where, hint="take a larger step")
    return [f"{(first + number * step).normalize():f}" for number in range(count)]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def sweep(
    command: str, given: Mapping[str, Any], wanted: Request, chosen: list[tuple[str, tuple[str, ...]]], run: Callable[..., Outcome]
) -> Outcome:
    """What the command finds, and the figures at each value.

    Args:
        given: the options as `request` takes them. wanted: what it made of them. chosen: as `axes` has it. run: the command's work.
    """
    from detloss_cli.diagnose.sweep import OPTIONS, hyp_value, swept
    from detloss_cli.reading import Shelf
    from detloss_cli.resolve import setup

    base, read = setup(wanted), Shelf()

    def make(values: Mapping[str, str]) -> Request:
        overrides = {key: hyp_value(key, value, base) for key, value in values.items() if key not in OPTIONS}
        options = {key: value for key, value in values.items() if key in OPTIONS}
        made = request(command, **{**given, **options, "overrides": {**given["overrides"], **overrides}})
        return replace(made, what_if=())

    for key, words in chosen:
        make({key: words[0]})  # a wrong word is said before anything is read
    facts, findings = run(wanted, read=read, marks=True)
    points = swept(chosen, wanted, facts, make, lambda made: run(made, read=read, marks=False))
    return replace(facts, sweep=points), findings
