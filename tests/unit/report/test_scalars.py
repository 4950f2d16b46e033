"""Recorded steps for trackers: flat names, and an event file that reads back as it was written."""

from __future__ import annotations

import math
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from detloss_cli.cli import main as entry
from detloss_cli.errors import DetlossError
from detloss_cli.facts.heads import DumpFacts, ParityFacts, StepTermFacts
from detloss_cli.report.scalars import check_tensorboard, scalars, write_tensorboard


def dump(step: int, rank: int = 0, obj: float = 0.5) -> DumpFacts:
    parity = ParityFacts({"total": 0.7}, {"total": 0.7}, 0.0, 1e-4, True, "")
    terms = (StepTermFacts("obj", "P3", obj, 0.25), StepTermFacts("obj", "P4", math.inf, None), StepTermFacts("size", None, 0.2, 0.1))
    return DumpFacts("x", step, None, rank, "every", 2, 3, "float32", {"obj": obj, "total": math.nan}, parity, None, terms)


def test_names_and_what_is_left_out() -> None:
    assert scalars(dump(0)) == {"loss/obj": 0.5, "loss/obj/P3": 0.5, "gradient/obj/P3": 0.25, "trainer/total": 0.7}


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Every scalar of the one event file: records of length, its checksum, protobuf, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.glob("events.out.tfevents.*")
    body, place, found = path.read_bytes(), 0, {}
    while place < len(body):
        (length,) = struct.unpack_from("<Q", body, place)
        event = Event.FromString(body[place + 12 : place + 12 + length])
        place += 12 + length + 4
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_an_event_file_holds_each_step_once(tmp_path: Path) -> None:
    write_tensorboard(str(tmp_path / "new" / "run"), [dump(0), dump(10, 0, 0.25), dump(10, 1, 9.0)])
    found = events(tmp_path / "new" / "run")
    assert found["loss/obj"] == [(0, 0.5), (10, 0.25)]
    assert set(found) == set(scalars(dump(0)))


def test_no_steps(tmp_path: Path) -> None:
    with pytest.raises(DetlossError, match="no recorded steps"):
        write_tensorboard(str(tmp_path), None)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DetlossError, match="cannot write to"):
        write_tensorboard(str(tmp_path / "file"), [dump(0)])


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(DetlossError, match="needs tensorboardX"):
        check_tensorboard()
    assert entry.run(["compute", "--preds", str(tmp_path), "--tensorboard", str(tmp_path / "run")]) == 2
    error: Any = capsys.readouterr().err
    assert "pip install 'detloss[tensorboard]'" in error
    assert not (tmp_path / "run").exists()
