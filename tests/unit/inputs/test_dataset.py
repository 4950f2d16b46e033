"""Data sets on disk: what is read, in which order, and that the counts add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sets_on_disk import ROW, YAML, Make, kinds, read


def test_splits_and_order(make: Make) -> None:
    root = make(
        {
            "data.yaml": YAML,
            "images/train/b.png": "",
            "images/train/a.png": "",
            "images/train/sub/c.png": "",
            "images/val/d.png": "",
            "labels/train/a.txt": ROW,
            "labels/train/b.txt": ROW + "1 0.25 0.25 0.5 0.5\n",
            "labels/train/sub/c.txt": "",
            "labels/val/d.txt": ROW,
        }
    )
    found = read(root / "data.yaml")
    assert [Path(path).name for path in found.labels.images.path] == ["a.png", "b.png", "c.png", "d.png"]
    assert found.labels.images.split == ("train", "train", "train", "val")
    assert found.labels.image.tolist() == [0, 1, 1, 3]
    assert found.labels.line.tolist() == [1, 1, 2, 1]
    assert found.labels.cls.tolist() == [0, 0, 1, 0]
    assert found.labels.boxes[2].tolist() == [0.25, 0.25, 0.5, 0.5]
    assert found.faults == ()
    assert (found.counts.labelled, found.counts.background, found.counts.missing) == (3, 1, 0)
    assert len(read(root / "data.yaml", splits=("val",)).labels) == 1


def test_a_bare_label_folder(make: Make) -> None:
    root = make({"a.txt": ROW, "b.txt": "4 0.5 0.5 0.5 0.5\n", "README.txt": "hello"})
    found = read(root)
    assert found.labels_only
    assert found.num_classes == 5
    assert found.names_source == "inferred"
    assert found.labels.names == ("class_0", "class_1", "class_2", "class_3", "class_4")
    assert not found.labels.images.sizes_known
    assert kinds(found) == {"README.txt": "not-a-label"}


def test_sizes_come_from_headers_turned_by_exif(make: Make) -> None:
    root = make({"data.yaml": YAML, "images/train/a.png": "64x48", "images/val/b.png": "", "images/train/c.png": ""})
    exif = Image.Exif()
    exif[274] = 6
    Image.new("L", (100, 50)).save(root / "images/val/b.jpg", exif=exif)
    (root / "images/val/b.png").unlink()
    (root / "images/train/c.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = read(root / "data.yaml", sizes=True)
    assert found.labels.images.width.tolist() == [64, 0, 50]
    assert found.labels.images.height.tolist() == [48, 0, 100]
    assert [fault.path for fault in found.faults if fault.kind == "image-unreadable"] == [str(root / "images/train/c.png")]
    assert not read(root / "data.yaml").labels.images.width.any()


def test_sizes_from_a_file(make: Make) -> None:
    root = make({"labels/a.txt": ROW, "labels/b.txt": ROW, "s.json": '{"images/a.jpg": [640, 480], "elsewhere/b.jpg": [10, 20, 6]}'})
    found = read(root / "labels", image_sizes=root / "s.json")
    assert found.labels.images.width.tolist() == [640, 20]
    assert found.labels.images.height.tolist() == [480, 10]


def test_one_path_under_two_splits_is_read_once(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": "", "labels/a.txt": ROW})
    found = read(root / "data.yaml")
    assert found.counts.rows == 1
    assert [fault.kind for fault in found.faults] == ["split-same-path"]


def test_several_folders_of_a_split_are_sorted_together(make: Make) -> None:
    root = make({"data.yaml": "train: [b, a]\nval: a\nnames: [a]\n", "b/1.png": "", "a/2.png": "", "a/2.txt": ROW, "b/1.txt": ""})
    assert [Path(path).name for path in read(root / "data.yaml").labels.images.path] == ["2.png", "1.png"]


def test_lists(make: Make) -> None:
    root = make(
        {
            "data.yaml": "train: train.txt\nval: val.txt\nnames: [a]\n",
            "images/a.png": "",
            "images/b.png": "",
            "images/c.png": "",
            "labels/a.txt": ROW,
            "labels/b.txt": ROW + ROW,
            "train.txt": "./images/b.png\nimages/a.png\n\nimages/a.png\n",
            "val.txt": "images/a.png\r\nimages/c.png\r\nimages/no.png\r\nnotes\r\n../../x.png\r\n",
        }
    )
    found = read(root / "data.yaml")
    assert [Path(path).name for path in found.labels.images.path] == ["a.png", "b.png", "c.png"]
    assert found.labels.images.split == ("train", "train", "val")
    assert {(Path(fault.path).name, fault.line, fault.kind) for fault in found.faults} == {
        ("a.png", None, "listed-twice"),
        ("val.txt", 3, "listed-image-missing"),
        ("val.txt", 4, "list-line"),
        ("val.txt", 5, "list-line-outside"),
        ("c.png", None, "image-without-label"),
        ("a.png", None, "split-overlap"),
    }
    assert len(found.faults) == 6


def test_the_class_bound_of_the_command_line_wins(make: Make) -> None:
    root = make({"a.txt": "7 0.5 0.5 0.5 0.5\n"})
    found = read(root, num_classes=7)
    assert (found.counts.kept, found.num_classes, found.names_source) == (0, 7, "option")
    assert read(root, num_classes=8).counts.kept == 1


@pytest.mark.parametrize("loader", ["yolov5-7.0", "yolov7", "ultralytics-8.4", "yolov3-spp"])
def test_a_loader_keeps_what_it_keeps_and_strict_stays_beside_it(make: Make, loader: str) -> None:
    root = make({"a.txt": ROW + ROW, "b.txt": ROW + "0 1.5 0.5 0.1 0.1\n", "c.txt": ROW})
    found = read(root, loader=loader)
    assert found.strict.line.tolist() == [1, 2, 1, 1]
    kept = {"yolov5-7.0": [0, 2], "yolov7": [2], "ultralytics-8.4": [0, 2], "yolov3-spp": [0, 0, 2]}[loader]
    assert found.labels.image.tolist() == kept
    assert found.counts.lost_images == (2 if loader == "yolov7" else 1)
    assert found.labels.boxes.dtype == np.float32


@pytest.mark.parametrize(("loader", "kept"), [("strict", 2), ("yolov3-spp", 2), ("yolov5-7.0", 1)])
def test_thumbnails_are_dropped_by_the_loaders_that_do(make: Make, loader: str, kept: int) -> None:
    root = make({"images/a.png": "9x48", "images/b.png": "10x48", "labels/a.txt": ROW, "labels/b.txt": ROW})
    found = read(root / "images", loader=loader, sizes=True)
    assert found.counts.kept == kept
    assert kinds(found) == {"images/a.png": "image-too-small"}


def test_an_empty_folder(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/x/readme.md": ""})
    assert read(root / "data.yaml").counts.images == 0
