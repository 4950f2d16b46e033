"""Width and height of a picture from its header, turned as its EXIF orientation says."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.files import FLAGS, Refused, read_file, refusal

ORIENTATION = 274
LFS_POINTER = b"version https://git-lfs"
# The orientations that swap width and height.
SIDEWAYS = frozenset({5, 6, 7, 8})


def image_size(path: str) -> tuple[int, int] | Refused:
    """Width and height in pixels as a trainer sees them, or why they are unknown. Decodes no pixel."""
    from PIL import Image, UnidentifiedImageError  # most commands open no picture

    try:
        # A link to a picture is common (one picture in several sets), and nothing of it is shown; a FIFO is still not waited for.
        fd = os.open(path, FLAGS & ~getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        return refusal(error)
    try:
        with os.fdopen(fd, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as image:
                width, height = image.size
                # only here, as the trainers do; elsewhere the orientation stands behind the pixels
                turned = image.format in ("JPEG", "MPO") and image.getexif().get(ORIENTATION) in SIDEWAYS
        return (height, width) if turned else (width, height)
    except UnidentifiedImageError:
        return _other(path)
    except Image.DecompressionBombError:
        return Refused("image-unreadable", "more pixels than any camera takes")
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, MemoryError, OverflowError) as error:
        # The decoders raise all of these on a broken header.
        return Refused("image-unreadable", type(error).__name__)


def _other(path: str) -> tuple[int, int] | Refused:
    """The size of a PNG that ends after its header, where the decoder wants the pixels to begin; else what stands in its place."""
    head = read_file(path, 1 << 10)
    if not isinstance(head, Refused) and not head:
        return Refused("image-unreadable", "the file is empty")
    if not isinstance(head, Refused) and head.startswith(LFS_POINTER):
        return Refused("image-unreadable", "a Git LFS pointer, not the picture")
    unknown = Refused("image-unreadable", "no known picture format")
    if isinstance(head, Refused) or not head.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") or len(head) < 33:
        return unknown
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    return (width, height) if 0 < width < 1 << 31 and 0 < height < 1 << 31 else unknown


def read_image_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """A JSON object of picture path -> [width, height] or [width, height, EXIF orientation], for pictures that are not at hand.

    Raises:
        DetlossError: the file cannot be read or is something else.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DetlossError(
            f"cannot read image sizes: {error}", where=str(path), hint='expected {"images/a.jpg": [640, 480], ...}'
        ) from error
    if not isinstance(found, dict):
        raise DetlossError("image sizes are no JSON object", where=str(path), hint='expected {"images/a.jpg": [640, 480], ...}')
    sizes: dict[str, tuple[int, int]] = {}
    for name, size in found.items():
        if not (isinstance(size, list) and len(size) in (2, 3) and all(type(side) is int and 0 < side < 2**31 for side in size)):
            raise DetlossError(f"the size of {name!r} is not [width, height] in pixels", where=str(path))
        width, height = size[:2]
        sizes[name] = (height, width) if size[2:] and size[2] in SIDEWAYS else (width, height)
    return sizes
