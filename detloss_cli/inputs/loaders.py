"""What each public loader does with each kind of label row, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Loss = Literal["keep", "remove", "drop", "stop", "background"]


@dataclass(frozen=True, slots=True)
class Loader:
    """One column of the table. `drop` costs the image, `background` its boxes without a word, `stop` the training.

    name, title: what users type and read. by_row: True if each row with an error is dropped alone.
    polygon_over: a row with more columns makes its file a polygon file; None if polygons are unknown.
    mixed: what a polygon file with box rows costs; `keep` reads a box row as two points.
    unreadable: what a row costs that is no row of numbers, or of another length than its neighbours. columns: a count other than five.
    out_of_range: what a coordinate outside low..high costs. low: the least centre; the least width and height is 0.
    fraction: what a class id such as 1.5 costs; `keep` cuts it to 1. beyond: what an id beyond the names costs.
    duplicates: what a repeated row costs; `remove` takes the repeats only, and sorts the rest.
    blank: a blank line between rows is passed over (`skip`), only if nothing stands in it (`empty`), or is a `row`, at the end as well.
    takes_bom: a byte-order mark is passed over. min_side: pictures with a smaller side are dropped, 0 if not looked at.
    accepts: kinds of fault that `by_row` lets pass, though they are errors.
    """

    name: str
    title: str
    by_row: bool = False
    polygon_over: int | None = None
    mixed: Loss = "keep"
    unreadable: Loss = "drop"
    columns: Loss = "drop"
    out_of_range: Loss = "drop"
    low: float = 0.0
    high: float = 1.0
    fraction: Loss = "keep"
    beyond: Loss = "stop"
    duplicates: Loss = "remove"
    blank: Literal["skip", "empty", "row"] = "empty"
    takes_bom: bool = False
    min_side: int = 10
    accepts: tuple[str, ...] = ()


# Source: conventions read from the sources and wheels of the trainers; each row was compared with the released code.
LOADERS: dict[str, Loader] = {
    loader.name: loader
    for loader in (
        Loader(
            "strict",
            "strict",
            by_row=True,
            mixed="drop",
            fraction="drop",
            beyond="drop",
            duplicates="keep",
            blank="skip",
            takes_bom=True,
            min_side=0,
        ),
        Loader(
            "keras-yolo3",
            "keras-yolo3",
            by_row=True,
            mixed="drop",
            fraction="drop",
            duplicates="keep",
            blank="skip",
            takes_bom=True,
            min_side=0,
            accepts=("size-not-positive",),
        ),
        Loader(
            "yolov3-spp",
            "yolov3-spp",
            unreadable="background",
            blank="row",
            columns="stop",
            out_of_range="stop",
            duplicates="keep",
            min_side=0,
        ),
        Loader("yolov5-4.0", "yolov5 4.0 to 6.0", polygon_over=8, duplicates="drop"),
        Loader("yolov5-6.1", "yolov5 6.1", polygon_over=8),
        Loader("yolov5-7.0", "yolov5 6.2 and later", polygon_over=6),
        Loader("yolov7", "yolov7", polygon_over=8, duplicates="drop"),
        Loader(
            "ultralytics-8.4",
            "ultralytics 8.4",
            polygon_over=6,
            mixed="drop",
            low=-0.01,
            high=1.01,
            fraction="drop",
            beyond="drop",
            blank="skip",
            takes_bom=True,
        ),
    )
}

# The kinds of fault for which `strict` leaves a row out: those that are errors. A test holds this against the registry of rules.
STRICT_DROPS = frozenset(
    {
        "not-numeric", "column-count", "separator", "decimal-comma", "not-finite", "number-form", "class-not-integer", "class-out-of-range",
        "class-huge", "pixel-coordinates", "centre-outside", "size-above-one", "size-not-positive", "point-outside", "pose-row", "dota-row",
        "mixed-rows", "comment-row", "header-row", "not-utf8", "nul-bytes", "line-separator", "bare-carriage-return", "line-too-long",
    }
)  # fmt: skip
