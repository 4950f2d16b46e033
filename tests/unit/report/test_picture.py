from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import made_inspections
import made_runs
import numpy as np
import pytest
from PIL import Image

from detloss_cli.errors import DetlossError
from detloss_cli.facts import ImageFacts
from detloss_cli.report import text_format
from detloss_cli.report.document import document
from detloss_cli.report.look import Look
from detloss_cli.report.picture import LEVELS, PAD, WITH, WITHOUT, picture
from detloss_cli.report.picture_name import refuse_format
from detloss_cli.report.report import build

RUN = made_inspections.targets()
HEAD = RUN.levels or ()
SCHEMA = json.loads((Path(text_format.__file__).parent / "schema.json").read_text())


def facts(path: Path) -> ImageFacts:
    """A white picture in the upper half of a 640 px input, one box with two cells of P4, one box without."""
    Image.new("RGB", (200, 100), "white").save(path)
    return ImageFacts(
        path=str(path),
        label_path=f"{made_runs.ROOT}/labels/train/a.txt",
        imgsz=(640, 640),
        placed=(0.0, 160.0, 640.0, 480.0),
        boxes_xyxy=np.asarray([[100, 200, 200, 300], [400, 300, 402, 470]], dtype=np.float32),
        line=np.asarray([1, 2], dtype=np.int32),
        name=("seed", "a\x1bb"),
        positives=np.asarray([[0, 2, 0], [0, 0, 0]], dtype=np.int32),
        text=("", "ratio 21 >= anchor_t 4 on every level"),
        cells=np.asarray([[1, 15, 9, 0, 0], [1, 15, 10, 0, 0]], dtype=np.int64),
    )


def drawn(image: ImageFacts, name: str = "x.png") -> Image.Image:
    return Image.open(io.BytesIO(picture(image, HEAD, name))).convert("RGB")


def test_boxes_cells_picture_and_padding(tmp_path: Path) -> None:
    image = drawn(facts(tmp_path / "a.png"))
    assert image.size == (640, 664)
    assert image.getpixel((150, 200)) == WITH
    assert image.getpixel((401, 400)) == WITHOUT
    assert image.getpixel((9 * 16, 15 * 16 + 8)) == LEVELS[1]
    assert image.getpixel((320, 170)) == (255, 255, 255)
    assert image.getpixel((320, 20)) == PAD
    inside = image.getpixel((9 * 16 + 8, 15 * 16 + 8))
    assert inside not in {LEVELS[1], (255, 255, 255)}  # the cell lets the picture through


def test_small_inputs_are_enlarged(tmp_path: Path) -> None:
    small = replace(facts(tmp_path / "a.png"), imgsz=(64, 64), placed=(0.0, 16.0, 64.0, 48.0))
    assert drawn(small).size == (640, 664)


@pytest.mark.parametrize(("name", "kind"), [("x.webp", "WEBP"), ("x.PNG", "PNG"), ("x.jpg", "JPEG")])
def test_the_name_says_the_format(tmp_path: Path, name: str, kind: str) -> None:
    assert Image.open(io.BytesIO(picture(facts(tmp_path / "a.png"), HEAD, name))).format == kind


def test_another_name_is_refused() -> None:
    with pytest.raises(DetlossError, match="no name of a picture"):
        refuse_format("x.pdf")


def test_no_boxes_and_no_picture(tmp_path: Path) -> None:
    empty = replace(
        facts(tmp_path / "a.png"),
        path="labels/a.txt",
        boxes_xyxy=np.zeros((0, 4), dtype=np.float32),
        line=np.zeros(0, dtype=np.int32),
        name=(),
        text=(),
        positives=np.zeros((0, 3), dtype=np.int32),
        cells=np.zeros((0, 5), dtype=np.int64),
    )
    assert drawn(empty).getpixel((320, 320)) == PAD


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_picture_that_is_none(tmp_path: Path, content: bytes) -> None:
    image = facts(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DetlossError, match="cannot be read"):
        picture(image, HEAD, "x.png")


@pytest.mark.parametrize("most", [1000, 15_000])
def test_a_picture_that_grows_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with pytest.raises(DetlossError, match="cannot be read"):
        picture(facts(tmp_path / "a.png"), HEAD, "x.png")


def test_box_by_box(tmp_path: Path) -> None:
    report = build("inspect targets", replace(RUN, image=facts(tmp_path / "a.png")), [])
    lines = [line.split() for line in text_format.render(report, Look(100)).splitlines()]
    assert ["1", "seed", "100x100", "0", "2", "0", "2"] in lines
    assert ["2", "a\\x1bb", "2x170", "0", "0", "0", "0", *["ratio", "21", ">=", "anchor_t", "4", "on", "every", "level"]] in lines
    jsonschema.validate(document(report), SCHEMA)
