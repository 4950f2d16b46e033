"""What holds for any label files: a bad row is that row's affair, whatever stands around it and however the files are batched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.inputs import cache_stamps, label_shard
from detloss_cli.inputs import read_labels as read_labels_module
from detloss_cli.inputs.cache import Cache, held
from detloss_cli.inputs.cached_labels import read_cached_labels
from detloss_cli.inputs.labels_read import LabelsRead
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.loaders import LOADERS
from detloss_cli.inputs.read_labels import read_labels

CLASSES = 3
NUMBERS = st.sampled_from(
    ["0", "1", "2", "7", "-1", "1.0", "1.5", ".5", "0.25", "1", "1.2", "-.1", "0", "nan", "inf", "1e-3", "1_0", "x", "0,5"]
)
GOOD = st.tuples(st.integers(0, 2), *[st.floats(0.01, 1).map(lambda v: f"{v:.6f}")] * 4).map(lambda row: " ".join(map(str, row)))
ANY = st.lists(NUMBERS, max_size=10).map(" ".join) | st.text(max_size=8).filter(lambda text: "\n" not in text)
FILES = st.lists(st.lists(GOOD | ANY, max_size=5).map(lambda rows: "\n".join(rows).encode("utf-8", "surrogatepass")), max_size=6)


@pytest.fixture(autouse=True, scope="module")
def _keep_young_files() -> Iterator[None]:
    before = cache_stamps.TICK_NS
    cache_stamps.TICK_NS = -(10**12)
    yield
    cache_stamps.TICK_NS = before


def write(folder: str, files: list[bytes]) -> list[str]:
    paths = []
    for number, body in enumerate(files):
        path = Path(folder, f"{number:03d}.txt")
        path.write_bytes(body)
        paths.append(str(path))
    return paths


def said(found: LabelsRead) -> tuple[object, ...]:
    columns = [getattr(part, name).tobytes() for part in (found.strict, found.loaded) for name in ("image", "cls", "boxes", "line")]
    return (columns, found.rows.tolist(), found.boxes.tolist(), found.faults, found.fates, found.lost, found.skipped, found.lost_images)


def stamps(found: LabelsRead) -> dict[int, int]:
    """Image -> when its file was changed."""
    stamped = found.stamped
    return dict(zip(stamped.files.tolist(), stamped.keys[:, cache_stamps.MTIME].tolist(), strict=True)) if stamped is not None else {}


@settings(max_examples=100, derandomize=True, deadline=None)
@given(files=FILES, loader=st.sampled_from(sorted(LOADERS)), size=st.sampled_from([1, 2, 3]), batch=st.sampled_from([1, 40, 1 << 20]))
def test_shards_batches_and_cache_change_nothing(files: list[bytes], loader: str, size: int, batch: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = ["", *write(folder, files)]
        whole = said(read_labels(paths, folder, loader, CLASSES, DEFAULT))
        before = read_labels_module.SHARD_FILES, label_shard.BATCH_BYTES
        read_labels_module.SHARD_FILES, label_shard.BATCH_BYTES = size, batch
        try:
            assert said(read_labels(paths, folder, loader, CLASSES, DEFAULT)) == whole
            cache = Cache(f"{folder}/cache")
            for some in (paths[: len(paths) // 2], paths, paths):
                read = read_cached_labels(some, folder, loader, CLASSES, DEFAULT, cache=cache)
                assert some != paths or said(read) == whole
                assert stamps(read) == {n: os.stat(path).st_mtime_ns for n, path in enumerate(some) if path}
            assert not files or held(cache.folder)
        finally:
            read_labels_module.SHARD_FILES, label_shard.BATCH_BYTES = before


@settings(max_examples=100, derandomize=True, deadline=None)
@given(files=FILES.filter(bool), bad=ANY, data=st.data())
def test_a_row_more_is_that_rows_affair(files: list[bytes], bad: str, data: st.DataObject) -> None:
    """A row at the end of one file: every other file reads as before, and so do the rows above it."""
    which = data.draw(st.integers(0, len(files) - 1))
    with tempfile.TemporaryDirectory() as folder:
        paths = write(folder, files)
        before = read_labels(paths, folder, "strict", CLASSES, DEFAULT)
        more = (files[which] + b"\n" if files[which] else b"") + bad.encode("utf-8", "surrogatepass")
        Path(paths[which]).write_bytes(more)
        after = read_labels(paths, folder, "strict", CLASSES, DEFAULT)
    others = [[fault for fault in read.faults if fault.path != paths[which]] for read in (before, after)]
    assert others[0] == others[1]
    for column in ("line", "cls", "boxes"):
        old, new = (getattr(read.strict, column)[read.strict.image != which] for read in (before, after))
        assert old.tobytes() == new.tobytes()
    if not any(fault.kind in ("mixed-rows", "not-utf8") for fault in after.faults):
        last = more.count(b"\n") + 1
        kept = {(int(line), box.tobytes()) for line, box in zip(after.strict.line, after.strict.boxes, strict=True)}
        mine = before.strict.image == which
        rows = zip(before.strict.line[mine], before.strict.boxes[mine], strict=True)
        assert all((int(line), box.tobytes()) in kept for line, box in rows if line < last)
