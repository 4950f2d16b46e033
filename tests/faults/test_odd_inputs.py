"""Inputs that people and tools really leave behind: each is named in one line, by every command, and none stops a run or passes unseen."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from child import PNG, make_set

from detloss_cli.cli import main as entry

Build = Callable[[Path], object]
GOOD = "0 .5 .5 .2 .2\n"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def row(body: bytes | str) -> Build:
    """The first label file holds this."""
    data = body.encode() if isinstance(body, str) else body
    return lambda root: (root / "labels/train/00000.txt").write_bytes(data)


def yaml(body: bytes | str) -> Build:
    """data.yaml holds this."""
    data = body.encode() if isinstance(body, str) else body
    return lambda root: (root / "data.yaml").write_bytes(data)


def listed(body: bytes) -> Build:
    """train and val are a list that holds this."""

    def build(root: Path) -> None:
        (root / "train.txt").write_bytes(body)
        (root / "data.yaml").write_text("train: train.txt\nval: train.txt\nnames: [cat, dog]\n")

    return build


def picture(body: bytes) -> Build:
    """The first picture holds this."""
    return lambda root: (root / "images/train/00000.png").write_bytes(body)


def pair(image: str, label: str) -> Build:
    """One more picture and one more label file."""

    def build(root: Path) -> None:
        (root / "images/train" / image).write_bytes(PNG)
        (root / "labels/train" / label).write_text(GOOD)

    return build


def folder_for(path: str) -> Build:
    """A folder stands where a file belongs."""

    def build(root: Path) -> None:
        (root / path).unlink()
        (root / path).mkdir()

    return build


def link(path: str, target: str) -> Build:
    return lambda root: (root / path).symlink_to(target)


IMAGE = {"id": 1, "file_name": "images/train/00000.png", "width": 64, "height": 48}
BOX: dict[str, Any] = {"id": 5, "image_id": 1, "category_id": 0, "bbox": [10, 10, 20, 20]}
CAT = {"id": 0, "name": "cat"}


def coco(images: object = (IMAGE,), annotations: object = (BOX,), categories: object = (CAT,)) -> Build:
    return coco_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}).encode())


def coco_text(body: bytes) -> Build:
    return lambda root: (root / "instances.json").write_bytes(body)


@dataclass(frozen=True, slots=True)
class Odd:
    """name, build: what is done to a clean set. rules: what `inspect labels` says at least. code: how it ends. says: words of a message.

    stderr: the words of a run that never starts.
    """

    name: str
    build: Build
    rules: tuple[str, ...]
    code: int = 1
    says: str = ""
    stderr: str = ""


CASES = (
    Odd("yaml-empty", yaml(""), ("data-key-missing",)),
    Odd("yaml-comment", yaml("# nothing yet\n"), ("data-key-missing",)),
    Odd("yaml-list", yaml("- train\n- val\n"), ("yaml-not-a-mapping",)),
    Odd("yaml-scalar", yaml("hello\n"), ("yaml-not-a-mapping",)),
    Odd("yaml-null", yaml("train:\nval:\nnames:\n"), ("data-key-missing",)),
    Odd("yaml-two-documents", yaml("train: images/train\n---\nval: x\n"), ("yaml-syntax",)),
    Odd("yaml-utf16", yaml("train: images/train\n".encode("utf-16")), ("yaml-encoding",)),
    Odd("yaml-latin1", yaml(b"train: images/train\nval: images/train\nnames: [caf\xe9]\n"), ("yaml-encoding",)),
    Odd("yaml-names-text", yaml("train: images/train\nval: images/train\nnames: cat dog\n"), ("data-names-form",)),
    Odd("yaml-names-nested", yaml("train: images/train\nval: images/train\nnames: [[cat], {a: b}, null]\n"), ("data-name-not-text",)),
    Odd("yaml-nc-huge", yaml(f"train: images/train\nval: images/train\nnc: {10**40}\n"), ("data-nc-value",)),
    Odd("yaml-path-nul", yaml('train: "images\\0x"\nval: images/train\nnames: [cat, dog]\n'), ("data-path-form",)),
    Odd("yaml-path-long", yaml(f"train: {'a' * 5000}\nval: images/train\nnames: [cat, dog]\n"), ("data-path-missing",)),
    Odd(
        "yaml-path-windows",
        yaml("train: images\\train\nval: images\\train\nnames: [cat, dog]\n"),
        ("data-path-missing",),
        says="images\\train",
    ),
    Odd("yaml-path-quoted-windows", yaml('path: "C:\\Users\\me"\ntrain: images/train\nval: x\nnames: [a]\n'), ("yaml-syntax",)),
    Odd("yaml-is-a-folder", folder_for("data.yaml"), ("no-images",)),
    Odd(
        "yaml-links-to-itself",
        lambda root: os.replace(root / "data.yaml", root / "x") or link("data.yaml", "data.yaml")(root),
        (),
        2,
        stderr="link that leads nowhere",
    ),
    Odd("numbers-huge", row("0 1e308 .5 .2 .2\n0 1e999 .5 .2 .2\n0 " + "9" * 500 + " .5 .2 .2\n"), ("pixel-coordinates", "not-finite")),
    Odd("number-below-float32", row("0 .5 .5 1e-320 .2\n"), ("size-not-positive",), says="32 bits"),
    Odd("class-of-20-digits", row("99999999999999999999 .5 .5 .2 .2\n"), ("class-out-of-range",)),
    Odd("class-of-20-digits-negative", row("-99999999999999999999 .5 .5 .2 .2\n"), ("class-out-of-range",)),
    Odd("ends-cr", row(b"0 .5 .5 .2 .2\r0 .4 .4 .2 .2\r"), ("bare-carriage-return",)),
    Odd("ends-crcrlf", row(b"0 .5 .5 .2 .2\r\r\n0 .4 .4 .2 .2\r\r\n"), ("blank-line",), 0, says="two carriage returns"),
    Odd("ends-dos-eof", row(b"0 .5 .5 .2 .2\n\x1a"), ("not-numeric",)),
    Odd("polygon-even", row("0 .1 .1 .2 .1 .2 .2 .1\n"), ("column-count",)),
    Odd("polygon-flat", row("0 .1 .1 .1 .1 .1 .1 .1 .1\n"), ("size-not-positive", "corner-row")),
    Odd("row-lfs-pointer", row(LFS), ("not-numeric",), says="version"),
    Odd("row-stray-byte", row(b"\x85 .5 .5 .2 .2\n"), ("not-utf8",), says="\\x85"),
    Odd("row-zero-width-space", row("\u200b0 .5 .5 .2 .2\n"), ("class-not-integer",), says="\\u200b"),
    Odd("picture-empty", picture(b""), (), 0),
    Odd("picture-lfs-pointer", picture(LFS.encode()), (), 0),
    Odd("picture-is-a-folder", folder_for("images/train/00000.png"), ("label-without-image",), 0),
    Odd("label-is-a-folder", folder_for("labels/train/00000.txt"), ("not-a-file",)),
    Odd("links-up", link("images/train/loop", ".."), ("symlink-loop",), 0),
    Odd("picture-links-to-itself", link("images/train/c.png", "c.png"), ("symlink-loop",), 0, says="to itself"),
    Odd("names-nfc-nfd", pair("caf\u00e9.png", "cafe\u0301.txt"), ("label-case-differs",), 0, says="Unicode form"),
    Odd("names-upper-case", pair("c.PNG", "c.TXT"), ("label-case-differs",), 0, says="case only"),
    Odd(
        "names-right-to-left",
        yaml('train: images/train\nval: images/train\nnames: [dog, "\u202ekcod"]\n'),
        ("data-name-control",),
        0,
        says="\\u202e",
    ),
    Odd("list-utf16", listed("./images/train/00000.png\n".encode("utf-16")), ("not-utf8",)),
    Odd("list-bom", listed(b"\xef\xbb\xbf./images/train/00000.png\r\n"), ("byte-order-mark",), 0, says="does not find that picture"),
    Odd(
        "list-windows",
        listed(b"images\\train\\00000.png\nC:\\x\\00000.png\n./images/train/00000.png\n"),
        ("listed-image-missing",),
        says="'C:\\x\\00000.png'",
    ),
    Odd("list-binary", listed(bytes(range(128, 256)) * 9), ("list-line",), says="\\x80\\x81"),
    Odd("list-empty", listed(b""), ("no-images",)),
    Odd("coco-no-keys", coco_text(b"{}"), ("annotation-key",), says="no `images` in the file"),
    Odd("coco-null", coco(images=None), ("annotation-key",), says="`images` is no list"),
    Odd("coco-empty", coco_text(b""), ("annotation-syntax",)),
    Odd("coco-cut", coco_text(b'{"images": [{"id": 1'), ("annotation-syntax",)),
    Odd("coco-deep", coco_text(b'{"images":' + b"[" * 99_999 + b"]" * 99_999 + b"}"), ("annotation-syntax",), says="nests deeper"),
    Odd(
        "coco-latin1",
        coco_text(b'{"images": [], "annotations": [],\n"categories": [{"id": 1, "name": "caf\xe9"}]}'),
        ("annotation-syntax",),
        says="UTF-8",
    ),
    Odd("coco-endless-number", coco_text(b'{"images": ' + b"1" * 9999 + b"}"), ("annotation-syntax",), says="thousands of digits"),
    Odd(
        "coco-key-twice",
        coco_text(json.dumps({"images": [IMAGE], "annotations": [BOX], "categories": [CAT]}).replace("{", '{"images": [], ', 1).encode()),
        ("annotation-key",),
        says="`images` stands twice",
    ),
    Odd(
        "coco-ids-twice",
        coco((IMAGE, IMAGE), (BOX, BOX), (CAT, CAT)),
        ("annotation-duplicate-id", "duplicate-box"),
        0,
        says="repeats annotation number 1",
    ),
    Odd("coco-huge-ids", coco(({**IMAGE, "id": 10**30},), ({**BOX, "image_id": 10**30, "id": 10**40},)), (), 0),
    Odd(
        "coco-wrong-types", coco((1, None, {}), (1, None, {"image_id": []}), (None, {"id": "a"})), ("annotation-key", "annotation-no-image")
    ),
)


@pytest.fixture
def odd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Odd:
    case: Odd = request.param
    make_set(tmp_path / "set", 2, bad="")
    case.build(tmp_path / "set")
    monkeypatch.chdir(tmp_path / "set")
    return case


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # would stand on stderr, above the report
        code = entry.run([*words, "--no-cache", "--quiet"])
    out, err = capsys.readouterr()
    return code, out, err


def target(odd: Odd) -> str:
    return "instances.json" if odd.name.startswith("coco") else "data.yaml"


@pytest.mark.parametrize("odd", CASES, indirect=True, ids=lambda case: case.name)
def test_it_is_named(odd: Odd, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "inspect", "labels", target(odd), "--format", "json")
    report = json.loads(out)
    assert code == odd.code
    if odd.stderr:
        assert odd.stderr in report["findings"][0]["message"] + err
        return
    assert err == ""
    assert set(odd.rules) <= {finding["rule"] for finding in report["findings"]}
    told = [finding for finding in report["findings"] if finding["rule"] in odd.rules]
    assert not odd.says or any(odd.says in finding["message"] for finding in told)
    for finding in told:
        assert len(finding["message"]) < 220
        assert finding["hint"] or finding["severity"] == "info"
    labels = report["labels"]
    assert labels["images"] == labels["labelled"] + labels["background"] + labels["skipped"]
    assert labels["kept"] + labels["lost"]["rows"] == labels["rows"]


@pytest.mark.parametrize("odd", CASES, indirect=True, ids=lambda case: case.name)
def test_no_command_stumbles_over_it(odd: Odd, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (("check",), ("compute",), ("inspect", "targets"), ("inspect", "anchors")):
        code, out, err = run(capsys, *command, target(odd), "--format", "json")
        found = json.loads(out)["findings"]
        assert code in ({odd.code} if odd.stderr else {0, 1}), found
        assert bool(err) is bool(odd.stderr)
        if command == ("compute",) and code == 1 and odd.code == 1:
            # the reason, and where it looked if there is no other
            reasons = [finding for finding in found if finding["severity"] == "error"]
            assert {finding["rule"] for finding in reasons} != {"nothing-to-compute"} or str(Path.cwd()) in reasons[0]["message"]


def test_an_unreadable_picture_is_dropped_as_the_trainer_drops_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_set(tmp_path, 2, bad="")
    picture(LFS.encode())(tmp_path)
    _, out, _ = run(capsys, "check", str(data), "--format", "json")
    report = json.loads(out)
    told = {finding["rule"]: finding for finding in report["findings"]}
    assert told["image-unreadable"]["hint"] == "git lfs pull"
    assert (report["labels"]["lost"]["by_rule"], report["labels"]["kept"]) == ({"image-unreadable": 1}, 1)
    assert report["settings"]["geometry"] == "letterbox"
    _, out, _ = run(capsys, "check", str(data), "--format", "json", "--loader", "strict")
    report = json.loads(out)
    assert report["labels"]["kept"] == 2
    assert report["settings"]["origins"]["geometry"] == "1 picture of unknown size taken for square"


def test_class_ids_without_an_end_where_nothing_says_how_many_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_set(tmp_path, 1, bad="99999999999999999999 .5 .5 .2 .2\n9223372036854775807 .4 .4 .2 .2\n")
    (tmp_path / "data.yaml").unlink()
    code, out, _ = run(capsys, "inspect", "labels", str(tmp_path), "--loader", "all", "--format", "json")
    report = json.loads(out)
    assert code == 1
    assert report["labels"]["lost"]["by_rule"] == {"class-huge": 2}
    assert {loader["loader"]: loader["kept"] for loader in report["loaders"]} == {
        "strict": 1, "yolov3-spp": 1, "yolov5-4.0": 1, "yolov5-6.1": 1, "yolov5-7.0": 1, "yolov7": 1, "ultralytics-8.4": 0,
    }  # fmt: skip


def test_only_the_pictures_of_bad_annotations_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_set(tmp_path, 3, bad="")
    images = [{**IMAGE, "id": n, "file_name": f"images/train/0000{n}.png"} for n in range(3)]
    boxes = [{**BOX, "id": n, "image_id": n} for n in range(3)]
    boxes += [{**BOX, "id": 7, "image_id": 1}, {**BOX, "id": 8, "image_id": 2, "bbox": [1, 2]}]
    coco(images, boxes)(tmp_path)
    bad, clean = tmp_path / "bad.list", tmp_path / "clean.list"
    run(capsys, "inspect", "labels", str(tmp_path / "instances.json"), "--write-list", str(bad), "--write-clean-list", str(clean))
    assert bad.read_text().split() == ["./images/train/00001.png", "./images/train/00002.png"]
    assert clean.read_text().split() == ["./images/train/00000.png"]
    _, out, _ = run(capsys, "inspect", "targets", str(tmp_path / "instances.json"), "--image", "00001.png", "--format", "json")
    told = [finding for finding in json.loads(out)["findings"] if finding["rule"] == "slot-collision"]
    assert {(finding["path"], finding["line"]) for finding in told} == {("images/train/00001.png", None)}
    assert "with another box at annotation number 2" in told[0]["message"]
