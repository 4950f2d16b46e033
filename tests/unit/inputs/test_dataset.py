"""Data sets on disk: which label belongs to which picture, what is not read, and that the counts add up."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset
from detloss_cli.inputs.limits import Limits

ROW = "0 0.5 0.5 0.25 0.5\n"
Make = Callable[[dict[str, str]], Path]


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


def read(path: Path, *, splits: tuple[str, ...] | None = None, loader: str = "strict", **options: object) -> DataSet:
    spec, _ = read_data(str(path))
    found = read_dataset(spec, splits or tuple(spec.splits), loader, **{"num_classes": None, "sizes": False, **options})  # type: ignore[arg-type]
    counts = found.counts
    assert counts.images == counts.labelled + counts.background + counts.skipped == len(found.labels.images)
    assert counts.kept + counts.lost_rows == counts.rows
    assert counts.kept == len(found.labels)
    assert sum(counts.lost_by_rule.values()) == counts.lost_rows
    return found


def kinds(dataset: DataSet) -> dict[str, str]:
    """Place -> kind, places below the root."""
    return {os.path.relpath(fault.path, dataset.spec.root): fault.kind for fault in dataset.faults}


YAML = "train: images/train\nval: images/val\nnames: [a, b]\n"


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


@pytest.mark.parametrize(("folder", "images"), [("labels/train", 1), ("images/train", 1), ("labels", 2), ("images", 2)])
def test_labels_and_pictures_find_each_other_whichever_is_named(make: Make, folder: str, images: int) -> None:
    root = make(
        {"images/train/a.png": "", "labels/train/a.txt": ROW, "images/val/b.png": "", "labels/val/b.txt": ROW, "classes.txt": "one\ntwo"}
    )
    found = read(root / folder, sizes=True)
    assert found.spec.root == str(root)
    assert found.labels.names == ("one", "two")
    assert (found.counts.images, found.counts.kept, found.faults) == (images, images, ())
    assert found.labels.images.width.tolist() == [64] * images


def test_a_label_folder_with_pictures_of_its_own_is_not_sent_elsewhere(make: Make) -> None:
    root = make({"labels/a.png": "8x8", "labels/a.txt": ROW, "images/a.png": "16x16"})
    assert read(root / "labels", sizes=True).labels.images.width.tolist() == [8]


def test_folders_of_labels_that_no_picture_leads_to_are_named(make: Make) -> None:
    root = make(
        {
            "images/a.png": "",
            "labels/a.txt": ROW,
            "labels_move/b.txt": ROW,
            "labels_move/c.txt": ROW,
            "labels_move/classes.txt": "dog",
            "notes/b.txt": "bring milk",
            "runs/exp/labels/a.txt": ROW,
            ".trash/a.txt": ROW,
        }
    )
    found = read(root)
    assert kinds(found) == {"labels_move": "label-folder-unread"}
    assert [fault.token for fault in found.faults] == ["2"]
    assert found.counts.rows == 1


def test_labels_beside_pictures_in_a_folder_called_images_are_named(make: Make) -> None:
    found = read(make({"images/a.png": "", "images/a.txt": ROW}))
    assert kinds(found) == {"images": "label-folder-unread", "images/a.png": "image-without-label"}


def test_labels_are_read_where_the_pictures_of_a_yaml_are_gone(make: Make) -> None:
    root = make({"data.yaml": YAML, "labels/train/a.txt": ROW, "labels/val/b.txt": ROW})
    found = read(root / "data.yaml")
    assert found.labels_only
    assert found.counts.kept == 2
    assert found.labels.images.split == ("train", "val")


def test_labels_beside_pictures(make: Make) -> None:
    root = make({"x/a.png": "", "x/a.txt": ROW, "x/classes.txt": "dog"})
    found = read(root / "x")
    assert len(found.labels) == 1
    assert kinds(found) == {"classes.txt": "not-a-label"}


def test_only_the_last_images_becomes_labels(make: Make) -> None:
    root = make(
        {"images/x/images/a.png": "", "images/x/labels/a.txt": ROW, "data.yaml": "train: images/x/images\nval: images/x\nnames: [a]\n"}
    )
    assert read(root / "data.yaml").counts.labelled == 1


def test_pictures_and_labels_that_do_not_meet(make: Make) -> None:
    root = make(
        {
            "data.yaml": YAML,
            "images/train/a.png": "",
            "images/train/b.png": "",
            "images/train/b.jpg": "",
            "images/train/c.png": "",
            "images/val/d.png": "",
            "labels/train/a.txt": ROW,
            "labels/train/b.txt": ROW,
            "labels/train/C.TXT": ROW,
            "labels/train/extra/e.txt": ROW,
            "labels/val/f.txt": ROW,
        }
    )
    assert kinds(read(root / "data.yaml")) == {
        "images/train/b.png": "same-stem",
        "labels/train/C.TXT": "label-case-differs",
        "labels/train/extra/e.txt": "label-without-image",
        "images/val/d.png": "image-without-label",
        "labels/val/f.txt": "label-without-image",
    }


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


def test_nothing_special_is_opened_followed_or_waited_for(make: Make, tmp_path: Path) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("0 0.1 0.1 0.1 0.1\n")
    pictures = {f"images/train/{stem}.png": "" for stem in "abcdefgh"}
    root = make(
        {"data.yaml": "train: images/train\nval: images/train\nnames: [a]\n", **pictures, "labels/train/h.txt": ROW, "more/i.png": ""}
    )
    labels = root / "labels/train"
    os.mkfifo(labels / "a.txt")
    (labels / "b.txt").mkdir()
    (labels / "c.txt").symlink_to(outside)
    (labels / "d.txt").symlink_to("nowhere")
    (labels / "e.txt").symlink_to("h.txt")
    (labels / "f.txt").symlink_to("f.txt")
    (labels / "g.txt").symlink_to("/dev/zero")
    (root / "images/train/up").symlink_to("..")
    (root / "images/train/more").symlink_to(root / "more")
    found = read(root / "data.yaml")
    assert len(found.faults) == len(kinds(found))
    assert {place: kind for place, kind in kinds(found).items() if kind != "split-same-path"} == {
        "labels/train/a.txt": "not-a-file",
        "labels/train/b.txt": "not-a-file",
        "labels/train/c.txt": "leaves-root",
        "labels/train/d.txt": "dangling-link",
        "labels/train/f.txt": "dangling-link",
        "labels/train/g.txt": "leaves-root",
        "images/train/up": "symlink-loop",
        "images/train/more": "symlink-folder",
    }
    assert (found.counts.skipped, found.counts.labelled) == (6, 2)
    spec, _ = read_data(str(root / "data.yaml"))
    allowed = read_dataset(spec, ("train",), "strict", num_classes=None, sizes=False, allow_outside=True)
    assert allowed.counts.labelled == 3


def test_a_label_folder_that_leaves_the_root_is_not_read(make: Make, tmp_path: Path) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": ""})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text(ROW)
    (root / "labels").symlink_to(tmp_path / "other")
    found = read(root / "data.yaml")
    assert "leaves-root" in kinds(found).values()
    assert found.counts.rows == 0


def test_a_socket_is_no_label(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": "", "labels/b.txt": ""})
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{short}/s")
        os.rename(f"{short}/s", root / "labels/a.txt")
        assert kinds(read(root / "data.yaml"))["labels/a.txt"] == "not-a-file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": "", "labels/a.txt": ROW})
    (root / "labels/a.txt").chmod(0)
    assert kinds(read(root / "data.yaml"))["labels/a.txt"] == "unreadable-file"


def test_limits_leave_the_rest_unread_and_say_so(make: Make) -> None:
    root = make({"a.txt": ROW * 5, "b.txt": ROW, "c.txt": "x" * 100})
    found = read(root, limits=Limits(label_bytes=99, rows=3))
    assert kinds(found) == {"a.txt": "too-many-rows", "c.txt": "label-too-big"}
    assert found.incomplete
    assert (found.counts.rows, found.counts.skipped) == (4, 1)
    assert kinds(read(root, limits=Limits(line_bytes=50)))["c.txt"] == "line-too-long"
    assert "folder-too-deep" in kinds(read(make({"x/y/d.txt": ROW}), limits=Limits(depth=1))).values()
    assert "too-many-files" in kinds(read(root, limits=Limits(files=1))).values()


def test_names_that_are_no_text_are_read(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": "", "labels/a.txt": ROW})
    for odd in (b"z\xff", b"e\x1b[2J\nx"):
        (root / "images" / os.fsdecode(odd + b".png")).write_bytes((root / "images/a.png").read_bytes())
        (root / "labels" / os.fsdecode(odd + b".txt")).write_text("9 0.5 0.5 0.5 0.5\n")
    found = read(root / "data.yaml")
    assert [fault.kind for fault in found.faults if fault.line] == ["class-out-of-range"] * 2


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
