from __future__ import annotations

import numpy as np
import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.measure.image import find_image, image_facts
from detloss_cli.targets.assignment import Assignment

IMAGES = Images(
    path=("/d/images/a/x.jpg", "/d/images/b/x.jpg", "/d/images/a/y.jpg"),
    label_path=("/d/labels/a/x.txt", "/d/labels/b/x.txt", ""),
    split=("train",) * 3,
    width=np.asarray([200, 100, 0], dtype=np.int32),
    height=np.asarray([100, 200, 0], dtype=np.int32),
)
LABELS = Labels(
    image=np.asarray([0, 1, 1]),
    cls=np.asarray([0, 1, 7]),
    boxes=np.asarray([[0.5, 0.5, 0.2, 0.2]] * 3, dtype=np.float32),
    line=np.asarray([1, 1, 3], dtype=np.int32),
    images=IMAGES,
    names=("a", "b"),
)


def column(*numbers: int) -> np.ndarray:
    return np.asarray(numbers, dtype=np.int64)


@pytest.mark.parametrize(
    ("wanted", "index"), [("/d/images/b/x.jpg", 1), ("b/x.jpg", 1), ("/d/labels/a/x.txt", 0), ("y", 2), ("a/y.jpg", 2)]
)
def test_a_picture_is_found(wanted: str, index: int) -> None:
    assert find_image(wanted, IMAGES) == index


@pytest.mark.parametrize(("wanted", "words"), [("x", "2 pictures"), ("z.jpg", "no such picture"), ("", "no such picture")])
def test_no_picture_or_too_many(wanted: str, words: str) -> None:
    with pytest.raises(DetlossError, match=words):
        find_image(wanted, IMAGES)


def test_cells_and_boxes_of_one_picture_over_batches() -> None:
    first = Assignment(level=column(0), image=column(0), anchor=column(0), row=column(4), col=column(5), gt=column(0))
    second = Assignment(level=column(1, 0), image=column(0, 0), anchor=column(2, 1), row=column(1, 2), col=column(3, 4), gt=column(1, 1))
    parts = [(0, 0, first), (1, 1, second)]
    facts = image_facts(1, LABELS, LABELS.boxes, (320, 640), "letterbox", "floor", parts, {1: "why"}, 2)
    assert facts.positives.tolist() == [[0, 0], [1, 1]]
    assert facts.cells.tolist() == [[1, 1, 3, 2, 1], [0, 2, 4, 1, 1]]
    assert facts.name == ("b", "class_7")
    assert facts.text == ("why", "")
    assert facts.placed == (240.0, 0.0, 400.0, 320.0)
    assert facts.boxes_xyxy[0].tolist() == pytest.approx([256, 128, 384, 192])


def test_a_picture_without_boxes() -> None:
    facts = image_facts(2, LABELS, LABELS.boxes, (64, 64), "square", "floor", [], {}, 3)
    assert (len(facts.line), facts.positives.shape, facts.placed) == (0, (0, 3), (0.0, 0.0, 64.0, 64.0))
