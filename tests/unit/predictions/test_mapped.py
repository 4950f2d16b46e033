"""One image of a file of 4 GB costs megabytes."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

SHAPE = (640, 3, 80, 80, 85)  # of float32: 4.2 GB
READ = """
import resource, sys, torch
from detloss_cli.predictions.file_head import FilePredictions
from detloss_cli.predictions.finite import not_finite
from detloss_cli.predictions.open_file import open_heads
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before = resident()
level = open_heads(sys.argv[1]).tensors["p3"]
batch = FilePredictions([level], 100, 1, dtype=torch.float32, device=torch.device("cpu"))
some = torch.tensor([0])
assert batch.at(0, some, some, some, some).shape == (1, 85)
assert batch.plane(0, 4).shape == (1, 3, 80, 80)
assert list(not_finite([level[100:101]])) == []
print((resident() - before) >> 20)
"""


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_one_image_of_gigabytes(tmp_path: Path, kind: str) -> None:
    size = int(np.prod(SHAPE)) * 4
    path = tmp_path / f"heads.{kind}"
    if kind == "safetensors":
        header = json.dumps({"p3": {"dtype": "F32", "shape": SHAPE, "data_offsets": [0, size]}}).encode()
        header += b" " * (-len(header) % 8)
        path.write_bytes(len(header).to_bytes(8, "little") + header)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size + size)  # sparse: it takes no room
    else:
        sparse_npz(path, size)
    assert path.stat().st_size > 4e9
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 40  # 13 where it was written: one image is 6.5 MB


def sparse_npz(path: Path, size: int) -> None:
    """A stored npz whose array is a hole in the file; nothing reads its checksum when it is mapped."""
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("p3.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": SHAPE})
        (member,) = archive.infolist()
        member.file_size = member.compress_size = member.file_size + size
        archive.fp.seek(size, 1)
        archive.start_dir = archive.fp.tell()
