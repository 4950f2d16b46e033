"""What was run on what: the first lines of every screen, with where each choice came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.text import Text

from detloss_cli.facts import AssignmentFacts, DataFacts, Facts, LabelFacts, LevelFacts, Settings
from detloss_cli.facts.run import RunFacts
from detloss_cli.report.numbers import count, many, trim
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.batch_shapes import shape_words
from detloss_cli.report.sections.run import run_parts

LABEL = 9
# Origins that need no word.
PLAIN = {"", "default", "family", "latest", "option"}
# Switches of a loss; their origin is the option with its value.
SWITCHES = ("autobalance", "gr", "label_smoothing", "sort_obj_iou")
INNER = {"data.yaml", "data.yml", "dataset.yaml", "labels", "images", "annotations"}
HEADS = {"prior": "step 0"}
RECORDED = "as recorded"  # geometry of dumps: whatever the trainer did to its pictures
SYNTHETIC = {"base-rate": "constant logits", "perfect": "a head that answers each target", "zero": "logits 0", "noise": "normal logits"}


def header(command: str, facts: Facts, width: int, *, whole: bool = True) -> Iterator[Text]:
    """Title, settings, data and targets, each cut into lines that fit. whole: no limit left anything unread."""
    title, scale, head = _title(command, facts), _scale(facts.settings), _head(facts.settings)
    fits = len(" · ".join([*title, *scale, *head])) <= width
    yield from joined([*title, *(scale if fits else []), *head], width, indent=2, first="bold")
    if facts.settings is not None:
        yield from labelled("setup", [*([] if fits else scale), *_setup(facts.settings, facts.run)], width, style="dim")
    if facts.run is not None:
        yield from labelled("run", run_parts(facts.run), width, style="dim")
    if facts.labels is not None:
        yield from labelled("data", _data(facts.labels, whole), width)
    if facts.assignment is not None:
        yield from labelled("targets", _targets(facts.assignment), width)


def labelled(label: str, parts: Sequence[str | Text], width: int, *, style: str = "") -> Iterator[Text]:
    """`data     a · b`: parts never break in themselves."""
    for number, line in enumerate(joined(parts, width - LABEL, style=style)):
        yield Text(label.ljust(LABEL) if number == 0 else " " * LABEL, style="dim").append_text(_undimmed(line, style))


def joined(parts: Sequence[str | Text], width: int, *, indent: int = 0, style: str = "", first: str = "") -> list[Text]:
    """Parts with dots between them, in as many lines as it takes."""
    lines: list[Text] = []
    line = Text()
    for number, part in enumerate(parts):
        piece = part.copy() if isinstance(part, Text) else Text(part, style=style)
        if number == 0 and first:
            piece.stylize(first)
        if line.cell_len and line.cell_len + 3 + piece.cell_len > width:
            lines.append(line)
            line = Text(" " * indent)
        elif line.cell_len:
            line.append(" · ", style="dim")
        line.append_text(piece)
    return [*lines, line]


def _undimmed(line: Text, style: str) -> Text:
    """The line with a style of its own, so that it does not take over that of its label."""
    return Text("", style=style or "not dim").append_text(Text("").append_text(line))


def _title(command: str, facts: Facts) -> list[str]:
    parts = [f"detloss {command}"]
    if facts.data is not None:
        sets = facts.survey.sets if facts.survey is not None else ()
        names = [data_name(replace(facts.data, path=one.path, root=one.root)) for one in sets]
        parts.append(" + ".join(names) if 0 < len(names) < 4 else f"{len(names)} data sets" if names else data_name(facts.data))
    settings = facts.settings
    if settings is None:
        return parts
    if command != "inspect labels":
        parts.append(
            " ".join(word for word in (settings.family, settings.profile, safe(settings.model), _level_range(facts.levels)) if word)
        )
    return parts


def _scale(settings: Settings | None) -> list[str]:
    """Input size and classes: in the title where there is room."""
    if settings is None:
        return []
    height, width = settings.imgsz
    size = f"{width}" if width == height else f"{width}x{height}"
    return [f"{size} {'rect' if settings.shapes else safe(settings.geometry)}".rstrip(), many(settings.num_classes, "class", "classes")]


def _head(settings: Settings | None) -> list[str]:
    """Whose output was taken: nobody shall take step 0 for a trained model."""
    if settings is None or not (settings.preds or settings.head):
        return []
    return [safe(settings.preds) if settings.preds else HEADS.get(settings.head or "", settings.head or "")]


def data_name(data: DataFacts) -> str:
    """How people call a data set: its folder, not the yaml that every set has."""
    path = data.path.rstrip("/" + os.sep)
    head, tail = os.path.split(path)
    while tail in INNER and os.path.basename(head):
        head, tail = os.path.split(head)
    if tail in INNER or tail in {"", ".", ".."}:
        tail = os.path.basename(data.root)
    return safe(tail)


def _level_range(levels: Sequence[LevelFacts] | None) -> str:
    names = [level.level for level in levels or ()]
    return names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}" if names else ""


def _setup(settings: Settings, run: RunFacts | None) -> list[str]:
    """What the title does not hold, and why each was chosen where it was not the user."""
    parts = []
    for key, text in (("family", settings.family), ("profile", f"profile {settings.profile}")):
        why = settings.origins.get(key, "")
        if why and why not in PLAIN and not why.startswith("--"):
            parts.append(f"{safe(text)}: {safe(why)}")
    if settings.hyp:
        parts.append(safe(_tail(settings.hyp)))
    if settings.gains == "raw":
        parts.append("raw gains")
    parts += [safe(settings.origins[key].removeprefix("--")) for key in SWITCHES if key in settings.origins]
    parts += [safe(why) for key, why in settings.origins.items() if key not in SWITCHES and why.startswith(f"{key}=")]
    if "anchors" in settings.origins:
        parts.append(f"anchors {safe(settings.origins['anchors'])}")
    if settings.loader:
        why = settings.origins.get("loader", "")
        said = f": {safe(why)}" if why not in PLAIN and not why.startswith("--") else ""
        parts.append(f"{safe(settings.loader)} loader{said}")
    if settings.names_source not in {"names", ""}:
        parts.append(f"classes {settings.names_source}")
    for key in ("geometry", "imgsz"):
        why = settings.origins.get(key, "")
        told = why.startswith("--") or (run is not None and any(key == one for one, _, _ in run.values))
        if why not in PLAIN and (not told or "," in why):
            parts.append(safe(why))
    parts += shape_words(settings.shapes)
    if settings.head and not settings.preds:
        words = SYNTHETIC.get(settings.head, "")
        parts += [f"{words}, seed {settings.seed}" if settings.head == "noise" else words] if words else []
    if settings.head or settings.preds:
        parts.append(f"{settings.device} {settings.dtype}")
        parts += [] if settings.geometry == RECORDED else ["no augmentation"]
    return parts


def _tail(path: str) -> str:
    return os.path.basename(path.rstrip("/" + os.sep)) or path


def _data(labels: LabelFacts, whole: bool) -> list[str]:
    parts = [many(labels.images, "image"), many(labels.boxes, "box", "boxes")]
    parts[0] += f" ({count(labels.background)} without boxes)" if labels.background else ""
    if labels.skipped:
        parts.append(f"{many(labels.skipped, 'image')} skipped")
    if labels.lost.rows:
        parts.append(f"{many(labels.lost.rows, 'row')} lost")
    elif whole and not labels.skipped:
        parts.append("all read")
    return parts if whole else [*parts, "not all read"]


def _targets(facts: AssignmentFacts) -> list[str]:
    if not facts.boxes:
        return ["none: there are no boxes"]
    parts = [many(facts.positives, "positive"), f"{trim(f'{facts.per_box_mean:.1f}')} a box"]
    parts.append(f"{many(facts.unassigned, 'box gets', 'boxes get')} none" if facts.unassigned else "every box gets one")
    if facts.boxes_without_slot:
        parts.append(f"{count(facts.boxes_without_slot)} lose every slot")
    if facts.best_possible_recall is not None:
        parts.append(f"BPR {trim(f'{facts.best_possible_recall:.4f}')}")
    return parts
