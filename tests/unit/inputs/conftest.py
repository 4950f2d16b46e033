"""Data sets on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from sets_on_disk import Make


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write files by path; a picture's text is `WxH` or empty."""

    def write(files: dict[str, str]) -> Path:
        root = tmp_path / "data"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix in (".png", ".jpg"):
                width, height = map(int, (text or "64x48").split("x"))
                Image.new("L", (width, height)).save(path)
            else:
                path.write_text(text)
        return root

    return write
