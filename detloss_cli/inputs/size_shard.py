"""The headers of some pictures, opened one by one: a piece of work that a process can do for another."""

from __future__ import annotations

from dataclasses import dataclass

from detloss_cli.inputs.files import Refused
from detloss_cli.inputs.image_size import image_size
from detloss_cli.inputs.mapper import Tell

# A header takes as long as twenty label files.
SHARD_PICTURES = 256


@dataclass(frozen=True, slots=True)
class SizeShard:
    """pictures: paths."""

    pictures: tuple[str, ...]

    def name(self, item: int) -> str:
        """What a picture is called in a message."""
        return self.pictures[item]


def read_sizes(shard: SizeShard, tell: Tell | None = None) -> list[tuple[int, int] | Refused]:
    """Width and height of each picture, or why they are unknown."""
    sizes: list[tuple[int, int] | Refused] = []
    for item, picture in enumerate(shard.pictures):
        if tell is not None:
            tell(item)
        sizes.append(image_size(picture))
    return sizes
