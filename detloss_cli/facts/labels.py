"""What labels are and what becomes of them, as plain values under the names of the JSON report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClassFacts:
    id: int
    name: str
    boxes: int
    images: int


@dataclass(frozen=True, slots=True)
class LostRows:
    """Rows that the loader does not keep, the images they stand in that it drops whole, and rows by rule."""

    rows: int
    images: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """images = labelled + background + skipped; missing is the part of background without a label file; rows = non-blank lines;
    boxes = rows read as a box; kept + lost.rows = rows. sizes: boxes below 32^2, below 96^2 and above, px of the network input."""

    images: int
    labelled: int
    background: int
    missing: int
    skipped: int
    rows: int
    boxes: int
    kept: int
    lost: LostRows
    classes: tuple[ClassFacts, ...]
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LoaderFacts:
    """What one loader makes of the rows.

    kept, lost: rows. images: those it drops whole. by_rule: rows lost. misread: rows of which it reads another box than is written.
    removed: repeats. stops: places where the training stops.
    """

    loader: str
    kept: int
    lost: int
    images: int
    by_rule: Mapping[str, int]
    misread: int = 0
    removed: int = 0
    stops: int = 0


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """The images of one folder or split. rows = kept + lost; beyond: rows with a class id beyond the names; errors: at its files."""

    name: str
    images: int
    background: int
    rows: int
    kept: int
    lost: int
    beyond: int
    errors: int


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class id by column of the table: its name there, None where the id has none, and its boxes."""

    id: int
    names: tuple[str | None, ...]
    boxes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Class ids side by side. columns: data sets as given, or splits. rows: ids that have a name or a box anywhere."""

    columns: tuple[str, ...]
    rows: tuple[ClassRow, ...]


@dataclass(frozen=True, slots=True)
class SetFacts:
    """One data set of several. rows = kept + lost; beyond: rows with a class id beyond its own names."""

    path: str
    root: str
    images: int
    rows: int
    kept: int
    lost: int
    num_classes: int
    names_source: str
    beyond: int


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """The images as columns of length M, what lists of pictures are made from. path: the picture, or its label file without one.
    label_path: "" without. annotated: the file whose lines are the images, as keras-yolo3 has it, "" for one label file an image."""

    path: tuple[str, ...] = ()
    label_path: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    annotated: str = ""


@dataclass(frozen=True, slots=True)
class SurveyFacts:
    """loaders: with `--loader all`, the strictest first. by, groups: with `--by folder` or `--by split`. classes: with `--by class`, or of
    several data sets. sets: of several data sets."""

    loaders: tuple[LoaderFacts, ...] = ()
    by: str | None = None
    groups: tuple[GroupFacts, ...] = ()
    classes: ClassTable | None = None
    sets: tuple[SetFacts, ...] = ()
    pictures: PictureFacts = field(default_factory=PictureFacts)
