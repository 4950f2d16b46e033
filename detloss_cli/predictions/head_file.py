"""A file of head outputs, whatever its format: named tensors, mapped where the format allows it, and what is said about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from detloss_cli.inputs.head import Head
from detloss_cli.predictions.refusal import LEVEL, SHAPE, refusal

LEVEL_KEY = re.compile(r"p\d{1,2}(_\w+)?")


@dataclass(frozen=True, slots=True)
class HeadFile:
    """One opened file.

    path: as given. tensors: by name. metadata: texts that stand in the file, by name. in_order: the tensors have no names of their own and
    stand in the order of the head's levels.
    """

    path: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    in_order: bool = False

    @property
    def is_dump(self) -> bool:
        """True if the file calls itself a dump, of whatever version."""
        return self.metadata.get("format", "").startswith("detloss/")


def level_key(name: str) -> str:
    """What a level is called in a file: `P3` is p3, `P3 1:1` is p3_1_1."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def images_in(file: HeadFile) -> int:
    """How many images a file holds by its first level, 0 if there is none."""
    sizes = [
        tensor.shape[0] for name, tensor in sorted(file.tensors.items()) if tensor.ndim and (file.in_order or LEVEL_KEY.fullmatch(name))
    ]
    return sizes[0] if sizes else 0


def levels_of(file: HeadFile, head: Head, anchors: tuple[int, ...], channels: int, images: int) -> tuple[Tensor, ...]:
    """The tensors of a head's levels, each (images, A, rows, cols, C), checked and not yet read.

    Args:
        anchors: A of each level. channels: C. images: those of the data set.

    Raises:
        DetlossError: a level is missing, has another shape, or is one that this head does not have.
    """
    wanted = [str(index) if file.in_order else level_key(level.name) for index, level in enumerate(head.levels)]
    extra = [name for name in file.tensors if name not in wanted and (file.in_order or LEVEL_KEY.fullmatch(name))]
    if extra:
        what = f"{len(file.tensors)} tensors" if file.in_order else f"a level {extra[0]}"
        raise refusal(LEVEL, file.path, f"holds {what}, the head {head.name} has {', '.join(wanted)}", "--model names another head")
    found = []
    for name, level, count in zip(wanted, head.levels, anchors, strict=True):
        if name not in file.tensors:
            held = ", ".join(sorted(file.tensors)[:8]) or "nothing"
            raise refusal(
                LEVEL, file.path, f"has no {name}, which the head {head.name} has; it holds {held}", "one array a level: p3, p4, p5"
            )
        tensor, shape = file.tensors[name], (images, count, level.rows, level.cols, channels)
        if tuple(tensor.shape) != shape:
            raise refusal(
                SHAPE, file.path, f"{name} is {_size(tensor.shape)}, expected {_size(shape)}", _why(tensor.shape, shape, level.stride)
            )
        if not tensor.is_floating_point():
            raise refusal(SHAPE, file.path, f"{name} holds {str(tensor.dtype).removeprefix('torch.')}", "raw logits are float16 or float32")
        found.append(tensor)
    return tuple(found)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(str(side) for side in shape) or "a single number"


def _why(got: tuple[int, ...], wanted: tuple[int, ...], stride: int) -> str:
    """The first axis that differs, and the option it hangs on."""
    if len(got) != 5:
        return "axes are images, anchors, rows, cols, channels"
    if got[4] != wanted[4]:
        return f"{got[4]} channels, expected {wanted[4]}: has the model {got[4] - wanted[4]:+} classes?"
    if got[2:4] != wanted[2:4]:
        return f"that is an input of {got[2] * stride}x{got[3] * stride}: --imgsz {got[2] * stride}x{got[3] * stride}"
    if got[0] != wanted[0]:
        return f"{got[0]} images, the data has {wanted[0]}: all of a split, in file order"
    return f"{got[1]} anchors, the head has {wanted[1]}: --model names another head"
