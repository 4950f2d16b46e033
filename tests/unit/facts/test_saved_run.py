"""A run as a file says the same when it is read again; what is no such file is one error, and nothing in it is ever run."""

from __future__ import annotations

import io
import json
import math
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detloss_cli.diagnose.loss import compute, inspect_targets
from detloss_cli.errors import DetlossError
from detloss_cli.facts import Facts, saved_run
from detloss_cli.facts.saved_run import columns_of as columns_of_run
from detloss_cli.facts.saved_run import facts_of
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.run_file import packed, read_columns
from detloss_cli.resolve import Request

SAMPLE = str(Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml")


@pytest.fixture(scope="module")
def run() -> Facts:
    return compute(Request("compute", (SAMPLE,), split="val", imgsz=(160, 160)))[0]


def to_bytes(facts: Facts) -> bytes:
    return packed(columns_of_run(facts))


def read_run(path: str, most: int = DEFAULT.run_bytes) -> Facts:
    return facts_of(read_columns(path, most), path)


def written(path: Path, columns: dict[str, Any]) -> str:
    np.savez(path, **columns)
    return str(path)


def columns_of(facts: Facts) -> dict[str, Any]:
    with np.load(io.BytesIO(to_bytes(facts)), allow_pickle=False) as archive:
        return dict(archive)


def test_columns_without_pickle(run: Facts) -> None:
    found, boxes = columns_of(run), run.boxes
    assert boxes is not None
    assert run.box_loss is not None
    assert run.loss is not None
    assert all(column.dtype.kind != "O" for column in found.values())
    assert np.array_equal(found["positives"], boxes.positives)
    assert np.array_equal(found["width"], boxes.width)
    root = run.data.root if run.data is not None else ""
    assert [f"{root}/{found['path_names'][code]}" for code in found["path"]] == list(boxes.path[:])
    assert tuple(found["reason_names"][found["reason"]]) == boxes.reason[:]
    assert any(boxes.reason[:])
    for index, term in enumerate(found["terms"]):
        assert found["loss"][:, index].sum() + found["background"][index] == pytest.approx(run.loss.totals[term], rel=1e-12)
    told = json.loads(str(found["run"]))
    assert told["schema_version"] == saved_run.SCHEMA_VERSION
    assert {"settings", "levels", "gains", "loss", "keys", "assignment"} <= set(told)


def test_it_reads_as_it_was(run: Facts, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(to_bytes(run))
    found = read_run(str(path))
    for name in ("command", "data", "settings", "labels", "levels", "assignment", "gains", "keys", "loss"):
        assert getattr(found, name) == getattr(run, name), name
    assert to_bytes(found) == to_bytes(run) == path.read_bytes()


def test_targets_alone_have_no_loss(tmp_path: Path) -> None:
    facts = inspect_targets(Request("inspect targets", (SAMPLE,), split="val"))[0]
    path = tmp_path / "a.npz"
    path.write_bytes(to_bytes(facts))
    found = read_run(str(path))
    assert found.loss is None
    assert found.box_loss is None
    assert found.levels == facts.levels


def test_numbers_that_are_not_finite_come_back(run: Facts, tmp_path: Path) -> None:
    assert run.loss is not None
    odd = replace(run, loss=replace(run.loss, totals={**run.loss.totals, "box": math.inf, "obj": math.nan}))
    path = tmp_path / "a.npz"
    path.write_bytes(to_bytes(odd))
    found = read_run(str(path)).loss
    assert found is not None
    assert found.totals["box"] == math.inf
    assert math.isnan(found.totals["obj"])
    json.loads(str(columns_of(odd)["run"]), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_no_boxes(run: Facts, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("")
    path = tmp_path / "a.npz"
    path.write_bytes(to_bytes(compute(Request("compute", (str(tmp_path / "labels"),), names="2"))[0]))
    found = read_run(str(path)).boxes
    assert found is not None
    assert len(found.line) == 0


def test_a_run_that_stopped_is_not_saved(run: Facts) -> None:
    with pytest.raises(DetlossError, match="nothing to save"):
        to_bytes(replace(run, boxes=None))


class Bomb:
    """Leaves a file behind if anyone unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_pickled_objects_are_refused_unread(run: Facts, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()
    mark.unlink()
    for name in ("run", "path_names", "line"):
        path = written(tmp_path / f"{name}.npz", columns_of(run) | {name: np.asarray([Bomb(mark)], dtype=object)})
        with pytest.raises(DetlossError, match="pickled objects"):
            read_run(path)
    assert not mark.exists()


@pytest.mark.parametrize("version", ["2.0", "0.9", "", None, 1, [1]])
def test_another_schema(version: object, run: Facts, tmp_path: Path) -> None:
    told = {**json.loads(str(columns_of(run)["run"])), "schema_version": version}
    path = written(tmp_path / "a.npz", columns_of(run) | {"run": np.asarray(json.dumps(told))})
    with pytest.raises(DetlossError, match="is of schema"):
        read_run(path)


WRONG: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "no columns": lambda _: {"p3": np.zeros((2, 3))},
    "run is a number": lambda c: c | {"run": np.asarray(3)},
    "run is no JSON": lambda c: c | {"run": np.asarray("{")},
    "run is a list": lambda c: c | {"run": np.asarray("[]")},
    "run is deep": lambda c: c | {"run": np.asarray("[" * 100_000)},
    "run lacks a key": lambda c: c | {"run": np.asarray(json.dumps({"schema_version": "1.0"}))},
    "a column is missing": lambda c: {name: column for name, column in c.items() if name != "slots"},
    "a column is short": lambda c: c | {"line": c["line"][:-1]},
    "a level too few": lambda c: c | {"positives": c["positives"][:, :-1]},
    "a number beyond the names": lambda c: c | {"path": c["path"] + len(c["path_names"])},
    "a negative number": lambda c: c | {"reason": c["reason"] - 1},
    "names are numbers": lambda c: c | {"path_names": np.arange(9)},
    "sizes are text": lambda c: c | {"width": c["width"].astype(str)},
    "terms without loss": lambda c: c | {"terms": c["terms"][:-1]},
    "no background": lambda c: {name: column for name, column in c.items() if name != "background"},
    "background is short": lambda c: c | {"background": c["background"][:-1]},
    "loss without a total": lambda c: c | {"run": np.asarray(str(c["run"]).replace('"total":', '"totl":'))},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_ours(name: str, run: Facts, tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", WRONG[name](columns_of(run)))
    with pytest.raises(DetlossError, match=r"is of schema|no run saved|is damaged"):
        read_run(path)


def test_cut_and_flipped_files(run: Facts, tmp_path: Path) -> None:
    """Any damage is an error of ours, or does no harm."""
    whole, path = to_bytes(run), tmp_path / "a.npz"
    made = np.random.default_rng(5)
    for number in range(150):
        bad = bytearray(whole)
        if number % 3 == 0:
            bad = bad[: int(made.integers(0, len(bad)))]
        else:
            bad[int(made.integers(0, len(bad)))] ^= 1 << int(made.integers(0, 8))
        path.write_bytes(bytes(bad))
        try:
            read_run(str(path))
        except DetlossError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_header_that_promises_too_much(run: Facts, tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)})
    path = tmp_path / "a.npz"
    path.write_bytes(to_bytes(run))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.npy", head.getvalue())
    with pytest.raises(DetlossError, match="is damaged"):
        read_run(str(path))


def test_too_much_for_memory(run: Facts, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(to_bytes(run))
    with pytest.raises(DetlossError, match=r"in memory, the limit is 1,000.*--limit run-bytes="):
        read_run(str(path), 1000)
