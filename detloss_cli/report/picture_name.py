"""The name of a picture that is to be drawn says its format."""

from __future__ import annotations

import os

from detloss_cli.errors import DetlossError

FORMATS = {".webp": "WEBP", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def refuse_format(path: str) -> None:
    """Before any work is done, and before what draws is imported.

    Raises:
        DetlossError: a file name that stands for no picture.
    """
    if os.path.splitext(path)[1].lower() not in FORMATS:
        raise DetlossError(f"{path} is no name of a picture", where="--save", hint=f"end it with {', '.join(FORMATS)}")
