"""Which label belongs to which picture, and which belong to none."""

from __future__ import annotations

import pytest
from sets_on_disk import ROW, YAML, Make, kinds, read


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
