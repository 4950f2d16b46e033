"""The shape of a detector's head: its levels, anchors and channels. No tensors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channels:
    """Where things stand in the last axis of a level's output. obj is None where the family has no objectness."""

    box: slice
    obj: int | None
    cls: slice

    @property
    def count(self) -> int:
        """Number of channels."""
        return int(self.cls.stop)


@dataclass(frozen=True, slots=True)
class Level:
    """One output grid.

    name: such as P3. stride: pixels of the network input per cell. rows, cols: cells.
    anchors: (A, 2) width and height in pixels of the network input; empty if anchor-free.
    """

    name: str
    stride: int
    rows: int
    cols: int
    anchors: tuple[tuple[float, float], ...] = ()

    @property
    def slots(self) -> int:
        """Predictions per image: rows x cols x anchors, or rows x cols if anchor-free."""
        return self.rows * self.cols * max(1, len(self.anchors))


@dataclass(frozen=True, slots=True)
class Head:
    """A detector's head at one input size, levels in the order in which the family feeds them to its loss.

    num_classes: C. reg_max: bins a side where the family predicts distributions. imgsz: height and width of the network input, pixels.
    """

    name: str
    levels: tuple[Level, ...]
    num_classes: int
    imgsz: tuple[int, int]
    reg_max: int = 0
    end2end: bool = False

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(level.stride for level in self.levels)


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """A head before the input size and the number of classes are known: a built-in one or a model YAML.

    family: the family that the name or the file belongs to, None if it does not say. anchors: one tuple of (w, h) pixels a level; None for
    a level set that AutoAnchor has to fit first (`anchors: 3`). num_classes: what the file says, None for a built-in head.
    imgsz: the size the head was made for. maps: names of the levels where strides repeat; () names them by stride.
    queries: predictions of a level that has no grid, the same at any input size; 0 for a grid.
    """

    name: str
    family: str | None
    strides: tuple[int, ...]
    anchors: tuple[tuple[tuple[float, float], ...], ...] | None = None
    num_classes: int | None = None
    imgsz: int = 640
    reg_max: int = 0
    end2end: bool = False
    source: str = "built in"
    maps: tuple[str, ...] = ()
    queries: int = 0

    def at(self, imgsz: tuple[int, int], num_classes: int) -> Head:
        """The head at one input size.

        Args:
            imgsz: height and width of the network input, pixels, each a multiple of the largest stride.
            num_classes: C.
        """
        height, width = imgsz
        anchors = self.anchors if self.anchors is not None else ((),) * len(self.strides)
        names = self.maps or tuple(f"P{stride.bit_length() - 1}" for stride in self.strides)
        levels = tuple(
            Level(name, stride, 1, self.queries, boxes)
            if self.queries
            else Level(name, stride, -(-height // stride), -(-width // stride), boxes)
            for name, stride, boxes in zip(names, self.strides, anchors, strict=True)
        )
        return Head(self.name, levels, num_classes, imgsz, self.reg_max, self.end2end)
