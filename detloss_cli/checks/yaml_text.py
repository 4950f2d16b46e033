"""Rules about YAML as such: what cannot be read, and what is refused because it can run, refer or explode."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import raised


def yaml_syntax(fault: Fault) -> Words:
    """The file is not YAML.

    The place is where the parser gave up; the cause is often the line before it: a missing colon or bracket, or a tab as indentation.
    """
    hint = "indent with spaces" if fault.token.startswith("\t") else "look at this line and the one before it"
    return f"not YAML at {quoted(fault.token)}: {fault.detail}", hint


def yaml_encoding(fault: Fault) -> Words:
    """The file is not UTF-8.

    yolov5 and ultralytics skip bytes that are no UTF-8, so that a class name silently becomes another one. Save the file as UTF-8.
    """
    return f"bytes {fault.token} are not UTF-8", "save the file as UTF-8"


def yaml_too_large(fault: Fault) -> Words:
    """The file is larger than a configuration can be.

    It is not read: parsing YAML costs seconds a megabyte. 100,000 class names fit below the limit of 1 MiB;
    `--limit yaml-bytes=4MiB` reads more.
    """
    return f"{fault.detail}, not read", f"names of that many classes belong into --names FILE, or {_twice('yaml_bytes', fault)}"


def yaml_too_deep(fault: Fault) -> Words:
    """The file nests deeper than any configuration.

    Deep nesting serves to exhaust the parser that reads it; the file is not read any further. The limit is 64 levels,
    unless `--limit yaml-depth=N` says another, 256 at most.
    """
    return f"{fault.detail}, not read", f"a data, hyp or model file needs three, or {_twice('yaml_depth', fault)}"


def _twice(name: str, fault: Fault) -> str:
    """The option for twice the limit that the fault speaks of."""
    return raised(name, 2 * int("".join(character for character in fault.detail if character.isdecimal())))


def yaml_alias(fault: Fault) -> Words:
    """A YAML alias is refused.

    `*name` repeats a part of the file. A few lines of aliases of aliases unfold to billions of values, so none is followed.
    """
    return f"alias {fault.token} is not followed {fault.detail}".rstrip(), "write the value out"


def yaml_tag(fault: Fault) -> Words:
    """A YAML tag is refused.

    `!!python/object` and the like build objects and run code in unsafe loaders. Nothing is built or run here, the value is unknown.
    """
    return f"tag {fault.token} is refused, its value is not read {fault.detail}".rstrip(), "write a plain value"


def yaml_merge(fault: Fault) -> Words:
    """A YAML merge key is refused.

    `<<:` copies the keys of another mapping. What it would bring in is not read.
    """
    return f"merge key << is refused {fault.detail}".rstrip(), "write the keys out"


def yaml_duplicate_key(fault: Fault) -> Words:
    """A key stands twice in a mapping.

    Trainers take the last one without a word, and so does detloss.
    """
    return f"key {quoted(fault.token)} again ({fault.detail}); the last one counts", "delete one of them"


def yaml_not_a_mapping(fault: Fault) -> Words:
    """The top level is no mapping of keys to values.

    A leading dash makes each line a list item.
    """
    return f"the top level is a {fault.detail}, not `key: value` lines", "remove the leading dashes"


def yaml_word(fault: Fault) -> Words:
    """A plain word means something else in YAML 1.1.

    Trainers read YAML 1.1: `010` is 8, `12:30:45` is 45045, `1_000` is 1000, `no` is False, `2020-01-02` a date.
    Quote what is meant as text, write numbers without leading zeros.
    """
    return f"{quoted(fault.token)} is read as {fault.detail}", "write the number plainly"


RULES: tuple[Rule, ...] = (
    rule("DET300", "error", yaml_syntax),
    rule("DET301", "error", yaml_encoding),
    rule("DET302", "error", yaml_too_large),
    rule("DET303", "error", yaml_too_deep),
    rule("DET304", "error", yaml_alias),
    rule("DET305", "error", yaml_tag),
    rule("DET306", "error", yaml_merge),
    rule("DET307", "error", yaml_duplicate_key),
    rule("DET308", "error", yaml_not_a_mapping),
    rule("DET309", "warning", yaml_word),
)
