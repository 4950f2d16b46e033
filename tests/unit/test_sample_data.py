"""The shipped data set is what its attribution says: small, CRLF, of several aspects, one picture stored on its side."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from PIL import Image, ImageOps

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
PICTURES = sorted((SAMPLES / "vegetables" / "images").glob("*/*.jpg"))
ORIENTATION = 0x0112


def label_of(picture: Path) -> Path:
    return SAMPLES / "vegetables" / "labels" / picture.parent.name / f"{picture.stem}.txt"


def boxes(picture: Path) -> list[list[float]]:
    return [[float(token) for token in line.split()] for line in label_of(picture).read_text().splitlines()]


@pytest.fixture(scope="module")
def make_sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", SAMPLES / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stays_small() -> None:
    assert len(PICTURES) == 34
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 4_000_000


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_labels_end_their_lines_with_crlf_and_fit_the_picture(picture: Path) -> None:
    body = label_of(picture).read_bytes()
    assert body.count(b"\n") == body.count(b"\r\n") == len(boxes(picture)) > 0
    for cls, cx, cy, w, h in boxes(picture):
        assert 0 <= cls < 12
        assert min(cx - w / 2, cy - h / 2) > -1e-6
        assert max(cx + w / 2, cy + h / 2) < 1 + 1e-6


def test_every_label_file_has_a_picture() -> None:
    assert {label_of(picture) for picture in PICTURES} == set((SAMPLES / "vegetables" / "labels").glob("*/*.txt"))


def test_wide_high_and_square_pictures_are_there() -> None:
    sizes = [Image.open(picture).size for picture in PICTURES]
    assert {(width > height) - (width < height) for width, height in sizes} == {-1, 0, 1}


def test_one_picture_is_stored_on_its_side() -> None:
    turned = [picture for picture in PICTURES if Image.open(picture).getexif().get(ORIENTATION, 1) != 1]
    assert [picture.stem for picture in turned] == ["IMG_6635_frame0850"]
    stored = Image.open(turned[0])
    shown = ImageOps.exif_transpose(stored)
    assert (stored.size, shown.size) == ((480, 360), (360, 480))
    # Seeds are dark on a light ground: as displayed, every box holds one.
    grey = shown.convert("L")
    ground = sum(grey.histogram()[value] * value for value in range(256)) / (360 * 480)
    for _, cx, cy, _, _ in boxes(turned[0]):
        assert grey.getpixel((int(cx * 360), int(cy * 480))) < ground - 40


def test_names_are_twelve() -> None:
    data = yaml.safe_load((SAMPLES / "vegetables" / "data.yaml").read_text())
    assert len(data["names"]) == data["nc"] == 12


def test_crop_cuts_and_drops(make_sample: ModuleType) -> None:
    # On a side of 100: one box inside, one cut to half its width, one left with 0.4 px, one outside.
    text = "1 0.5 0.5 0.2 0.1\r\n2 0.2 0.5 0.2 0.1\r\n3 0.152 0.5 0.1 0.1\r\n4 0.05 0.5 0.1 0.1\r\n"
    assert make_sample.crop_rows(text, (20, 0, 100, 100), 100) == [
        "1 0.375000 0.500000 0.250000 0.100000",
        "2 0.062500 0.500000 0.125000 0.100000",
    ]
