"""What a training says, under what the user says: an explicit option wins, then the run, then the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.training import SOURCE

if TYPE_CHECKING:
    from detloss_cli.inputs.training import Training

UNSAID: tuple[Any, ...] = (None, (), "auto", False)
# Fields that a command cannot do without, by the option that gives them.
OPTIONS = {"data": "DATA", "hyp": "--hyp", "model": "--model", "imgsz": "--imgsz", "batch_size": "--batch-size"}
WHOSE = ("trainer", "family", "profile", "loader")


def merged(given: Mapping[str, Any], training: Training, needs: tuple[str, ...] = tuple(OPTIONS)) -> dict[str, Any]:
    """The fields of a request.

    Args:
        given: what was typed; unsaid fields are None, empty, `auto` or False. needs: fields that the command reads.

    Raises:
        DetlossError: something is known neither from the user nor from the run.
    """
    fields = dict(given)
    known = {key: value for key, value in training.fields.items() if key in given or key == "hyp_section"}
    if given.get("trainer") not in UNSAID or given.get("family") not in (*UNSAID, training.fields.get("family")):
        known = {key: value for key, value in known.items() if key not in WHOSE}  # another trainer's release says nothing
    if given.get("hyp") not in UNSAID:
        known.pop("hyp_section", None)
    origins = {}
    for key, value in known.items():
        if fields.get(key) in UNSAID:
            fields[key], origins[key] = value, training.origins[key]
    unknown = [key for key in OPTIONS if key in needs and key in training.asked and fields.get(key) in UNSAID]
    if unknown:
        why = "; ".join(dict.fromkeys(training.asked[key] for key in unknown))
        hint = "correct the command" if training.path == SOURCE else f"give {' '.join(OPTIONS[key] for key in unknown)}"
        raise DetlossError(why, where=training.path, hint=hint)
    if "overrides" in given:
        said = {key: value for key, value in training.overrides.items() if key not in given["overrides"]}
        fields["overrides"] = {**said, **given["overrides"]}
        origins |= {key: training.origins[key] for key in said}
    return {**fields, "origins": origins, "training": training}
