"""Label files by shards: whoever maps them owes a result for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from detloss_cli.inputs import cache_stamps, read_labels
from detloss_cli.inputs.cache_stamps import stamps_now
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.mapper import Result, Results, Shard, Tell, serial


def one_too_few(
    work: Callable[[Shard, Tell | None], Result], shards: Iterable[Shard], name: Callable[[Shard, int], str]
) -> Results[Result]:
    return serial(work, list(shards)[:-1], name)


def test_a_shard_that_never_came_back_is_no_shorter_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(tmp_path / f"{number}.txt") for number in range(5)]
    for path in paths:
        Path(path).write_text("0 .5 .5 .2 .2\n")
    monkeypatch.setattr(read_labels, "SHARD_FILES", 2)
    monkeypatch.setattr(cache_stamps, "SHARD_FILES", 2)
    assert len(read_labels.read_labels(paths, str(tmp_path), "strict", 1, DEFAULT).strict.image) == 5
    assert len(stamps_now(paths, follow=False)) == 5
    with pytest.raises(ValueError, match="shorter"):
        read_labels.read_labels(paths, str(tmp_path), "strict", 1, DEFAULT, mapper=one_too_few)
    with pytest.raises(ValueError, match="shorter"):
        stamps_now(paths, follow=False, mapper=one_too_few)
