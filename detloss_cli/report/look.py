"""What is known of the place where a report will be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colors = Literal["standard", "256", "truecolor", "windows"]


@dataclass(frozen=True, slots=True)
class Look:
    """width: columns. colors: None for plain text. encoding: of the stream or file."""

    width: int = 80
    colors: Colors | None = None
    encoding: str = "utf-8"
