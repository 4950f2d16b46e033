"""`--by`: a table whose rows add up as printed, JSON that keeps to the schema, and lists that a trainer and an editor read."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = entry.run([*words, "--no-cache"])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("by", ["class", "size", "level", "folder", "image", "box"])
def test_printed_rows_add_up(by: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(capsys, "compute", DATA, "--device", "cpu", "--by", by, "--top", "8")
    assert code == 0
    lines = out.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"{by} ") and line.endswith("loss"))
    last = next(number for number, line in enumerate(lines) if number > first and line.startswith("all "))
    loss = [float(line.split()[-1]) for line in lines[first + 1 : last + 1]]
    shares = [float(line.split(" %")[0].split()[-1].replace("<", "")) for line in lines[first + 1 : last + 1]]
    assert len(loss) > 1
    assert sum(loss[:-1]) == pytest.approx(loss[-1], abs=0.00005 * len(loss))
    assert sum(shares[:-1]) == pytest.approx(shares[-1] == 100 and 100, abs=0.5 * len(shares))
    assert all(len(line) <= 80 for line in lines[first : last + 1])


@pytest.mark.parametrize("command", [["compute", "--device", "cpu"], ["inspect", "targets", "--imgsz", "96"]])
@pytest.mark.parametrize("by", ["class", "level", "box"])
def test_json_keeps_to_the_schema(by: str, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *command, DATA, "--by", by, "--top", "2", "--format", "json")
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    assert code == 0
    assert body["boxes_by"]["by"] == by
    assert len(body["boxes_by"]["rows"]) == (3 if by == "level" else 2)


def test_a_list_of_images_is_one_that_is_read_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "hard.txt"
    _, out, err = run(
        capsys, "compute", DATA, "--device", "cpu", "--by", "image", "--top", "3", "--write-list", str(target), "--format", "json"
    )
    body = json.loads(out)
    assert err == f"detloss: 3 images of 22 written to {target}\n"
    assert [Path(line).name for line in target.read_text().splitlines()] == [Path(row["path"]).name for row in body["boxes_by"]["rows"]]
    outside = ["inspect", "labels", str(target), "--names", "12", "--format", "json"]
    code, told, _ = run(capsys, *outside)
    assert (code, {finding["hint"] for finding in json.loads(told)["findings"]}) == (1, {"--allow-outside if that is what you want"})
    code, out, _ = run(capsys, *outside, "--allow-outside")
    assert code == 0
    assert json.loads(out)["labels"]["boxes"] == sum(row["boxes"] for row in body["boxes_by"]["rows"])


def test_a_list_of_boxes_names_their_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "boxes.txt"
    _, out, _ = run(capsys, "inspect", "targets", DATA, "--imgsz", "96", "--by", "box", "--write-list", str(target), "--format", "json")
    rows = json.loads(out)["boxes_by"]["rows"]
    assert len(rows) == 20
    for line, row in zip(target.read_text().splitlines(), rows, strict=True):
        path, number = line.rsplit(":", 1)
        assert (Path(path).read_text().splitlines()[int(number) - 1] != "", int(number)) == (True, row["line"])
        assert row["reason"]


def test_real_head_outputs_are_ranked_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two pictures with the same box; the head answers the second one badly."""
    (tmp_path / "labels").mkdir()
    for name in "ab":
        (tmp_path / "labels" / f"{name}.txt").write_text("0 .5 .5 .4 .4\n")
    planes = {f"p{n}": np.zeros((2, 3, 64 >> n, 64 >> n, 7), np.float32) for n in (3, 4, 5)}
    for plane in planes.values():
        plane[1, ..., 5] = -9
    np.savez(tmp_path / "head.npz", **planes)
    words = ["compute", str(tmp_path / "labels"), "--names", "2", "--imgsz", "64", "--preds", str(tmp_path / "head.npz"), "--device", "cpu"]
    _, out, _ = run(capsys, *words, "--by", "image", "--format", "json")
    rows = json.loads(out)["boxes_by"]["rows"]
    assert [row["path"] for row in rows] == ["b.txt", "a.txt"]
    assert rows[0]["loss"]["cls"] > 5 * rows[1]["loss"]["cls"]
    assert rows[0]["loss"]["box"] == pytest.approx(rows[1]["loss"]["box"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "anchor"], "--by: 'anchor' is not known (one of class, size, level, folder, image, box)"),
        (["--top", "3"], "--top 3: it says how many of --by (add --by image)"),
        (["--by", "class", "--write-list", "x"], "--write-list x: only images and boxes make a list (--by image or --by box)"),
        (["--by", "image", "--write-list", "x", "-o", "x"], "--write-list, --output: one file is named twice (give each its own)"),
        (["--by", "image", "--image", "x"], "--by image: --by counts all pictures, --image shows one (leave one of them out)"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(capsys, "inspect", "targets", DATA, *words) == (2, "", f"detloss: {said}\n")


def test_a_list_is_not_written_among_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .4 .4\n")
    target = tmp_path / "labels" / "list.txt"
    code, _, err = run(capsys, "inspect", "targets", str(tmp_path / "labels"), "--by", "image", "--write-list", str(target))
    assert (code, "among the data" in err, target.exists()) == (2, True, False)
