import json
import os
from pathlib import Path

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.data_yaml import read_data

NAMES = "nc: 2\nnames: [cat, dog]\n"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data set with `images/train`, `images/val` and a writer for its data.yaml."""
    home = tmp_path / "home"
    for split in ("train", "val"):
        (home / "set" / "images" / split).mkdir(parents=True)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")

    def write(text, name="data.yaml", folder="set"):
        path = home / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    write.home = home
    return write


def kinds(faults):
    return [(f.kind, f.line) for f in faults]


def test_the_plain_form(data):
    spec, faults = read_data(data("path: .\ntrain: images/train\nval: [images/val, images/train]\n" + NAMES))
    root = str(data.home / "set")
    assert faults == ()
    assert (spec.root, spec.names, spec.num_classes, spec.names_source, spec.kind) == (root, ("cat", "dog"), 2, "names", "yaml")
    assert spec.splits == {"train": (f"{root}/images/train",), "val": (f"{root}/images/val", f"{root}/images/train")}


@pytest.mark.parametrize(
    ("path", "folder", "root", "note"),
    [
        ("path: .\n", "set", "set", []),
        ("", "set", "set", []),
        ("path: set\n", "set", "set", []),  # tried against the parent
        ("path: ../set\n", "cfg", "set", ["data-root-outside"]),
        ("path: ../datasets/set\n", "cfg", None, ["data-root-missing"]),
        ("", "set/cfg", "set", ["data-root-outside"]),
    ],
)
def test_the_root_is_looked_for_in_order(data, path, folder, root, note):
    spec, faults = read_data(data(path + "train: images/train\nval: images/val\n" + NAMES, folder=folder))
    assert [f.kind for f in faults] == note
    if root:
        assert spec.root == str(data.home / root)
        assert set(spec.splits) == {"train", "val"}
    else:
        assert spec.splits == {}


def test_the_working_folder_and_then_the_option(data, monkeypatch):
    text = data("path: set\ntrain: images/train\nval: images/val\n" + NAMES, folder="far/off/cfg")
    assert kinds(read_data(text)[1]) == [("data-root-missing", 1)]
    assert read_data(text, root=str(data.home))[0].root == str(data.home / "set")
    monkeypatch.chdir(data.home)
    assert read_data(text)[0].root == str(data.home / "set")


def test_an_existing_root_without_the_split_gives_way_to_one_with_it(data):
    (data.home / "cfg" / "set").mkdir(parents=True)
    spec, _ = read_data(data("path: set\ntrain: images/train\nval: images/val\n" + NAMES, folder="cfg"))
    assert spec.root == str(data.home / "set")


def test_absolute_paths_need_a_root_that_holds_them(data):
    images = data.home / "set/images"
    path = data(f"train: {images}/train\nval: {images}/val\n" + NAMES, folder="far/cfg")
    assert [f.kind for f in read_data(path)[1]] == ["data-path-outside"] * 2
    spec, faults = read_data(path, root=str(data.home / "set"))
    assert (set(spec.splits), [f.kind for f in faults]) == ({"train", "val"}, ["data-root-outside"])


def test_the_root_with_both_splits_beats_one_with_val_alone(data):
    (data.home / "cfg/images/val").mkdir(parents=True)
    spec, _ = read_data(data("train: set/images/train\nval: set/images/val\n" + NAMES, folder="cfg"))
    assert spec.root == str(data.home)


@pytest.mark.parametrize("folder", ["set", "set/cfg"])
def test_web_exports_point_one_folder_too_high(data, folder):
    spec, faults = read_data(data("train: ../images/train\nval: ../images/val\n" + NAMES, folder=folder))
    assert spec.splits["train"] == (str(data.home / "set/images/train"),)
    assert [(f.kind, f.detail) for f in faults][-1] == ("data-path-without-parent", "images/val")


@pytest.mark.parametrize("train", ["../../../../etc", "/etc", "images/../../other"])
def test_what_leaves_the_root_is_not_read(data, train):
    (data.home / "other").mkdir()
    path = data(f"path: .\ntrain: {train}\nval: images/val\n" + NAMES)
    spec, faults = read_data(path)
    assert (kinds(faults), list(spec.splits)) == ([("data-path-outside", 2)], ["val"])


def test_a_web_export_with_a_folder_of_another_name_says_which_one_is_meant(data):
    (data.home / "set/validate/images").mkdir(parents=True)
    path = data("train: ../images/train\nval: ../validation/images\n" + NAMES, folder="set")
    _, faults = read_data(path)
    assert [(f.kind, f.detail) for f in faults if f.line == 2] == [("data-path-missing", "validate/images")]


def test_a_path_that_leaves_the_root_says_nothing_of_what_is_there(data):
    (data.home / "secrets").mkdir()
    _, faults = read_data(data("path: .\ntrain: ../../secret\nval: images/val\n" + NAMES, folder="set"))
    assert [(f.kind, f.detail) for f in faults if f.line == 2] == [("data-path-outside", str(data.home / "set"))]


def test_a_link_out_of_the_root_is_not_followed_unless_allowed(data):
    (data.home / "other").mkdir()
    os.symlink(data.home / "other", data.home / "set" / "images" / "linked")
    path = data("train: images/linked\nval: images/val\n" + NAMES)
    assert kinds(read_data(path)[1]) == [("data-path-outside", 1)]
    assert set(read_data(path, allow_outside=True)[0].splits) == {"train", "val"}


def test_a_missing_folder_names_its_neighbour(data):
    (data.home / "set/images/valid").mkdir()
    _, faults = read_data(data("train: images/train\nval: images/validate\ntest: images/tests\n" + NAMES))
    assert [(f.kind, f.line, f.detail) for f in faults] == [
        ("data-path-missing", 2, "images/valid"),
        ("data-optional-missing", 3, ""),
    ]


@pytest.mark.parametrize(("given", "detail"), [("C:\\data\\images\\train", "windows"), ("images\\traim", "images/traim")])
def test_paths_of_windows(data, given, detail):
    _, faults = read_data(data(f"train: {given}\nval: images/val\n" + NAMES))
    assert [(f.kind, f.detail) for f in faults] == [("data-path-missing", detail)]


def test_a_root_of_another_machine_is_replaced_by_the_option(data):
    path = data("path: C:\\data\\set\ntrain: images/train\nval: images/val\n" + NAMES, folder="cfg")
    assert [(f.kind, f.detail) for f in read_data(path)[1]] == [("data-root-missing", "windows")]
    spec, faults = read_data(path, root=str(data.home / "set"))
    assert (spec.root, [f.kind for f in faults]) == (str(data.home / "set"), ["data-root-replaced"])


@pytest.mark.parametrize(
    ("text", "expected", "names", "count"),
    [
        ("nc: 2\nnames: {0: cat, 1: dog}\n", [], ("cat", "dog"), 2),
        ("names: {1: dog, 0: cat}\n", [], ("cat", "dog"), 2),
        ("names: [cat, dog]\n", [], ("cat", "dog"), 2),
        ("nc: 2\n", [("data-names-absent", 3)], ("class_0", "class_1"), 2),
        ("nc: 3\nnames: [cat, dog]\n", [("data-nc-names", 3)], ("cat", "dog"), None),
        ("nc: '2'\nnames: [cat, dog]\n", [("data-nc-value", 3)], ("cat", "dog"), None),
        ("nc: yes\nnames: [cat]\n", [("data-nc-value", 3)], ("cat",), None),
        ("nc: 1e9\nnames: [cat]\n", [("data-nc-value", 3)], ("cat",), None),
        ("nc: 0\n", [("data-nc-value", 3)], (), None),
        ("nc: 010\nnames: [a, b, c, d, e, f, g, h]\n", [("yaml-word", 3)], tuple("abcdefgh"), 8),
        ("names: {1: cat, 2: dog}\n", [("data-names-gap", 3)], (), None),
        ("names: {a: cat, b: dog}\n", [("data-names-key", 3)], (), None),
        ("names: {0: cat, 0: dog}\n", [("yaml-duplicate-key", 3)], ("dog",), 1),
        ("names: cat\n", [("data-names-form", 3)], (), None),
        ("names: []\n", [("data-names-form", 3)], (), None),
        ("names: [cat, cat]\n", [("data-name-twice", 3)], ("cat", "cat"), 2),
        ("names: [0, 1]\n", [("data-name-number", 3), ("data-name-number", 3)], ("0", "1"), 2),
        ("names: [010, 12:30:45, ~, 2020-01-01, 1e-3]\n", [("data-name-not-text", 3)] * 3 + [("data-name-number", 3)], None, 5),
        ("names: [[cat], dog]\n", [("data-name-not-text", 3)], ("", "dog"), 2),
        ('names: ["a\\tb", " "]\n', [("data-name-control", 3), ("data-name-control", 3)], ("a\tb", " "), 2),
        ("name: [cat]\n", [("data-key-unknown", 3), ("data-key-missing", None)], (), None),
    ],
)
def test_names_and_nc(data, text, expected, names, count):
    spec, faults = read_data(data("train: images/train\nval: images/val\n" + text))
    assert kinds(faults) == expected
    assert spec.num_classes == count
    if names is not None:
        assert spec.names == names


def test_validation_is_another_word_for_val(data):
    spec, faults = read_data(data("train: images/train\nvalidation: images/val\n" + NAMES))
    assert (faults, set(spec.splits)) == ((), {"train", "val"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train: {a: b}\nval: images/val\n", [("data-path-form", 1)]),
        ("train: [1, images/train]\nval: images/val\n", [("data-path-form", 1)]),
        ("train: ''\nval: images/val\n", [("data-path-form", 1)]),
        ('train: "a\\0b"\nval: images/val\n', [("data-path-form", 1)]),
        ('train: "images\\ud800"\nval: images/val\n', [("data-path-form", 1)]),
        ('train: images/train\nval: ["images/val", "a\\udfff/b"]\n', [("data-path-form", 2)]),
        ('path: "a\\0b"\ntrain: images/train\nval: images/val\n', [("data-path-form", 1)]),
        ('path: "/\\ud800/b"\ntrain: images/train\nval: images/val\n', [("data-path-form", 1)]),
        ("val: images/val\n", [("data-key-missing", None)]),
        ("train: data.yaml\nval: images/val\n", [("data-path-form", 1)]),
    ],
)
def test_paths_that_are_none(data, text, expected):
    assert kinds(read_data(data(text + NAMES))[1]) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [("https://x.y/z.zip", "data-download-url"), ("bash get.sh", "data-download-script"), ("|\n  import os", "data-download-script")],
)
def test_downloads_are_named_and_never_run(data, text, kind):
    _, faults = read_data(data(f"train: images/train\nval: images/val\n{NAMES}download: {text}\n"))
    assert kinds(faults) == [(kind, 5)]


def test_names_by_option(data, tmp_path):
    path = data("train: images/train\nval: images/val\nnc: 7\nnames: [x]\n")
    listed = tmp_path / "x.names"
    listed.write_text("a\nb\nc\n")
    for option, names in (("2", ("class_0", "class_1")), ("a, b", ("a", "b")), (str(listed), ("a", "b", "c"))):
        spec, faults = read_data(path, names=option)
        assert (spec.names, spec.num_classes, spec.names_source, faults) == (names, len(names), "option", ())
    for bad in ("0", "999999", "a,,b"):
        with pytest.raises(DetlossError, match=r"classes|empty"):
            read_data(path, names=bad)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        ([], {"train": [""]}),
        (["images/train", "images/valid", "labels/train"], {"train": ["images/train"], "val": ["images/valid"]}),
        (["labels/train"], {"train": ["labels/train"]}),
        (["train/images", "test/images"], {"train": ["train/images"], "test": ["test/images"]}),
    ],
)
def test_a_bare_folder(tmp_path, make, expected):
    for folder in make:
        (tmp_path / folder).mkdir(parents=True)
    spec, faults = read_data(str(tmp_path))
    assert (spec.kind, spec.names_source, spec.num_classes, faults) == ("folder", "inferred", None, ())
    assert spec.splits == {split: tuple(os.path.normpath(tmp_path / p) for p in paths) for split, paths in expected.items()}


def test_a_folder_with_names_or_with_a_data_yaml(data, tmp_path):
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert read_data(str(tmp_path))[0].names == ("cat", "dog")
    (tmp_path / "classes.txt").unlink()
    (tmp_path / "classes.txt").symlink_to("/etc/passwd")
    assert read_data(str(tmp_path))[0].names == ()
    data("train: images/train\nval: images/val\n" + NAMES)
    assert read_data(str(data.home / "set"))[0].kind == "yaml"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("train.txt", "./images/a.jpg\n", "list"),
        ("train.txt", "images/a b.jpg 10,20,30,40,0 1,2,3,4,1\n", "keras"),
        ("instances.json", json.dumps({"images": []}), "coco"),
    ],
)
def test_single_files(tmp_path, name, text, kind):
    path = tmp_path / name
    path.write_text(text)
    spec, faults = read_data(str(path))
    assert (spec.kind, spec.splits, spec.root, faults) == (kind, {"train": (str(path),)}, str(tmp_path), ())


def test_darknet(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train.txt").write_text("")
    (tmp_path / "data/x.names").write_text("cat\ndog\n")
    path = tmp_path / "data/x.data"
    path.write_text("classes= 2\ntrain=data/train.txt\nvalid = data/valid.txt\nnames=data/x.names\nbackup=backup/\n")
    spec, faults = read_data(str(path))
    assert (spec.kind, spec.names, spec.num_classes, spec.root) == ("darknet", ("cat", "dog"), 2, str(tmp_path))
    assert [(f.kind, f.line, f.column) for f in faults] == [("data-root-outside", None, None), ("data-path-missing", 3, 9)]
    path.write_text("classes=3\ntrain=data/train.txt\nvalid=data/train.txt\nnames=/etc/passwd\nrubbish\n")
    spec, faults = read_data(str(path))
    assert [(f.kind, f.line) for f in faults if f.line] == [("yaml-syntax", 5), ("data-path-outside", 4)]


def test_what_cannot_be_opened_is_one_clear_error(tmp_path):
    (tmp_path / "data.yaml").write_text("")
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "x.zip").write_text("")
    for name, words in (("dat.yaml", "did you mean .*data.yaml"), ("fifo.yaml", "neither"), ("x.zip", "no data set"), ("", "no such")):
        with pytest.raises(DetlossError, match=words):
            read_data(str(Path(tmp_path, name)) if name else "")
    with pytest.raises(DetlossError, match="--root"):
        read_data(str(tmp_path / "data.yaml"), root=str(tmp_path / "nowhere"))
