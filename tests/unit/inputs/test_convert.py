"""VOC through the program that reads it, and a clear word where it is not installed or gives up."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.inputs import convert
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset

ROW = "0 0.5 0.5 0.25 0.5\n"
BOX = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def voc(root: Path, boxes: str) -> Path:
    (root / "Annotations").mkdir(parents=True)
    size = "<size><width>200</width><height>100</height><depth>3</depth></size>"
    (root / "Annotations" / "a.xml").write_text(f"<annotation><filename>a.jpg</filename>{size}{boxes}</annotation>")
    return root


def read(path: Path) -> DataSet:
    spec, faults = read_data(str(path))
    found = read_dataset(spec, tuple(spec.splits), "strict", num_classes=None, sizes=False)
    assert [fault.kind for fault in faults] == ["annotation-converted"]
    assert all(fault.path.startswith(str(path)) for fault in (*faults, *found.faults))
    return found


@pytest.mark.skipif(convert.executable() is None, reason="panlabel is not installed")
def test_voc_annotations(tmp_path: Path) -> None:
    root = voc(tmp_path / "set", BOX.format("dog", 20, 10, 120, 60) + BOX.format("cat", 0, 0, 20, 10) + BOX.format("cat", 50, 0, 20, 10))
    found = read(root)
    assert found.labels.names == ("cat", "dog")
    assert sorted(zip(found.labels.cls.tolist(), found.labels.boxes.tolist(), strict=True)) == [
        (0, pytest.approx([0.05, 0.05, 0.1, 0.1])),
        (1, pytest.approx([0.35, 0.35, 0.5, 0.5])),
    ]
    assert found.counts.lost_by_rule == {"size-not-positive": 1}
    assert found.labels.images.path == (str(root / "a.jpg"),)


def test_without_the_program_one_word_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "executable", lambda: None)
    with pytest.raises(DetlossError, match=r"need panlabel.*pip install 'detloss\[convert\]'"):
        read_data(str(voc(tmp_path / "set", "")))


def program(folder: Path, body: str) -> str:
    """A program that is started in place of panlabel."""
    path = folder / "panlabel"
    path.write_text(f"#!{sys.executable}\nimport os, sys\ntarget = sys.argv[sys.argv.index('--output') + 1]\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_what_it_cannot_read_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = program(tmp_path, "sys.stderr.write('no image size in a.xml\\nmore\\n'); sys.exit(1)")
    monkeypatch.setattr(convert, "executable", lambda: failing)
    spec, faults = read_data(str(voc(tmp_path / "set", "")))
    assert spec.splits == {}
    assert [(fault.kind, fault.detail) for fault in faults] == [("annotation-syntax", "no image size in a.xml")]


def test_it_sees_neither_the_environment_nor_a_name_as_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps({"images": [], "annotations": [], "categories": []})
    body = f"open(target, 'w').write({content!r}); open({str(tmp_path / 'seen')!r}, 'w').write(repr((sys.argv, dict(os.environ))))"
    told = program(tmp_path, body)
    monkeypatch.setattr(convert, "executable", lambda: told)
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "--token.csv").write_text("")
    read_data("--token.csv")
    seen = (tmp_path / "seen").read_text()
    assert "secret" not in seen
    assert repr(os.path.realpath("--token.csv")) in seen


@pytest.mark.parametrize(
    ("files", "foreign"),
    [
        ({"Annotations/a.xml": ""}, True),
        ({"a.xml": ""}, True),
        ({"a.xml": "", "a.txt": ROW}, False),
        ({"Annotations/a.xml": "", "labels/a.txt": ROW}, False),
        ({"a.txt": ROW}, False),
        ({}, False),
    ],
)
def test_label_rows_are_read_even_where_xml_stands_beside_them(tmp_path: Path, files: dict[str, str], foreign: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert convert.is_foreign(str(tmp_path)) is foreign


def test_only_the_program_of_this_environment_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert convert.executable() != str(tmp_path / "panlabel")
