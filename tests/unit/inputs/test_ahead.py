"""Folders scanned ahead: what `scan` says of them, nobody left behind, and nothing begun that is not worth it."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import pytest

from detloss_cli.engine.processes import Processes
from detloss_cli.inputs import ahead, dataset
from detloss_cli.inputs.ahead import Ahead, ScanShard, scan_shard, scanner_of
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import read_dataset
from detloss_cli.inputs.limits import DEFAULT, parse_limits
from detloss_cli.inputs.listing import list_images
from detloss_cli.inputs.mapper import Results, serial
from detloss_cli.inputs.scan import Scan, scan


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Pictures with labels, without, a label too many, and a note."""
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (tmp_path / kind / split).mkdir(parents=True)
        for number in range(9):
            (tmp_path / "images" / split / f"{number}.jpg").touch()
            (tmp_path / "labels" / split / f"{number + 1}.txt").touch()
    (tmp_path / "labels/train/notes.txt").touch()
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [a]\n")
    return tmp_path / "data.yaml"


def begun(data: Path, monkeypatch: pytest.MonkeyPatch, splits: str | None = None) -> Ahead:
    monkeypatch.setattr(ahead, "LARGE", 0)
    scanner = scanner_of(str(data), splits, None, DEFAULT, Processes(2), allow_outside=False)
    assert isinstance(scanner, Ahead)
    return scanner


@pytest.mark.parametrize("splits", [None, "val", "val,train"])
def test_the_listing_is_the_same_and_the_workers_are_gone(data: Path, splits: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, _ = read_data(str(data))
    wanted = splits.split(",") if splits else list(spec.splits)
    scanner = begun(data, monkeypatch, splits)
    assert multiprocessing.active_children()
    assert list_images(spec, wanted, DEFAULT, scanner=scanner) == list_images(spec, wanted, DEFAULT)
    assert not multiprocessing.active_children()


def test_a_folder_that_nobody_scans_is_scanned_here(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = begun(data, monkeypatch, "val")
    train = str(data.parent / "images/train")
    assert scanner(train, DEFAULT) == scan(train, DEFAULT)
    val = str(data.parent / "labels/val")
    other = parse_limits(["files=3"])
    assert scanner(val, other) == scan(val, other) != scan(val, DEFAULT)
    # a second look is a new one
    assert scanner(val, DEFAULT) == scan(val, DEFAULT)
    (data.parent / "labels/val/new.txt").touch()
    assert scanner(val, DEFAULT) == scan(val, DEFAULT)


def test_workers_go_with_the_listing_whatever_it_asked_for(data: Path) -> None:
    spec, _ = read_data(str(data))
    folders = [str(data.parent / "images/train"), str(data.parent / "labels/train"), str(data.parent)]  # the last one is not asked for
    for asked in (folders, folders[::-1]):
        scanner = Ahead(asked, DEFAULT, Processes(2))
        assert multiprocessing.active_children()
        found = read_dataset(spec, ("train",), "strict", num_classes=None, sizes=False, scanner=scanner)
        assert not multiprocessing.active_children()
        assert found.counts == read_dataset(spec, ("train",), "strict", num_classes=None, sizes=False).counts
        assert scanner(folders[0], DEFAULT) == scan(folders[0], DEFAULT)


def test_workers_go_when_the_listing_breaks(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, _ = read_data(str(data))
    scanner = begun(data, monkeypatch)
    monkeypatch.setattr(dataset, "list_images", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        read_dataset(spec, ("train",), "strict", num_classes=None, sizes=False, scanner=scanner)
    assert not multiprocessing.active_children()


def test_a_folder_by_two_names_is_begun_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data.parent / "images/again").symlink_to("train")
    (data.parent / "labels/again").symlink_to("train")
    data.write_text("train: images/train\nval: images/again\nnames: [a]\n")
    asked = list[str]()

    def mapper(work: object, shards: list[ScanShard], name: object) -> Results[Scan]:
        asked.extend(shard.top for shard in shards)
        return serial(scan_shard, shards, ScanShard.name)

    monkeypatch.setattr(ahead, "LARGE", 0)
    scanner_of(str(data), None, None, DEFAULT, mapper, allow_outside=False)  # type: ignore[arg-type]
    assert asked == [str(data.parent / kind / "train") for kind in ("images", "labels")]


@pytest.mark.parametrize("text", ["train: images/train\nnames: [", "train: nowhere\nnames: [a]\n", "train: images/train\nnames: [a]\n"])
def test_what_is_wrong_or_small_begins_nothing(data: Path, text: str) -> None:
    data.write_text(text)
    assert scanner_of(str(data), None, None, DEFAULT, serial, allow_outside=False) is scan
    assert scanner_of(str(data.parent), None, None, DEFAULT, serial, allow_outside=False) is scan
    assert scanner_of(str(data.parent / "gone.yaml"), None, None, DEFAULT, serial, allow_outside=False) is scan


def test_a_link_out_of_the_root_is_left_alone(
    data: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (data.parent / "images/out").symlink_to(elsewhere)
    data.write_text("train: images/out\nval: images/out\nnames: [a]\n")
    monkeypatch.setattr(ahead, "LARGE", 0)
    assert scanner_of(str(data), None, None, DEFAULT, serial, allow_outside=False) is scan


def test_folders_travel_whole(data: Path) -> None:
    found = scan(str(data.parent), DEFAULT)
    assert pickle.loads(pickle.dumps(found)) == found
