"""Public data sets as their repositories have them, pictures cut to their headers; tests of them are skipped where they are not."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zlib
from pathlib import Path

DATASETS = Path(os.environ.get("DETLOSS_DATASETS", Path(__file__).parents[3] / "shared" / "datasets"))


def header(width: int, height: int) -> bytes:
    """A PNG that ends after its header."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def build(name: str, root: Path) -> None:
    """The set as its repository has it, pictures cut to their headers."""
    for label in (DATASETS / name / "labels").rglob("*.txt"):
        parts = label.relative_to(DATASETS / name / "labels").parts
        target = root.joinpath(*(part for part in parts if part not in ("object_detection", "instance_segmentation")))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(label, target)
    sizes = DATASETS / name / "image_sizes.json"
    for picture, (width, height, *_) in (json.loads(sizes.read_text()) if sizes.exists() else {}).items():
        (root / picture).parent.mkdir(parents=True, exist_ok=True)
        (root / picture).write_bytes(header(width, height))
