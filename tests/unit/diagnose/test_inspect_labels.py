"""`inspect labels` over several loaders, several data sets and their parts: counts that hang together, names side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.diagnose.labels import ROW_LOADERS, inspect_labels
from detloss_cli.errors import DetlossError
from detloss_cli.facts import Facts
from detloss_cli.facts.labels import SurveyFacts
from detloss_cli.finding import Finding
from detloss_cli.inputs.loaders import LOADERS
from detloss_cli.report.lists import clean, picture_list, touched, worst
from detloss_cli.resolve import Request

GOOD = "0 .5 .5 .2 .2"


def make(root: Path, files: dict[str, list[str] | None], names: str = "cat, dog") -> str:
    """A data set: `train/a` -> its rows, None for a picture without a label file."""
    for name, rows in files.items():
        split, stem = name.split("/")
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True, exist_ok=True)
        (root / "images" / split / f"{stem}.jpg").touch()
        if rows is not None:
            (root / "labels" / split / f"{stem}.txt").write_text("".join(f"{row}\n" for row in rows))
    splits = "".join(f"{split}: images/{split}\n" for split in dict.fromkeys(name.split("/")[0] for name in files))
    (root / "data.yaml").write_text(f"{splits}names: [{names}]\n")
    return str(root / "data.yaml")


def run(*data: str, **given: object) -> tuple[Facts, SurveyFacts, list[Finding]]:
    by = given.pop("by", None)
    facts, findings = inspect_labels(Request("inspect labels", data=data, **given), by=by)  # type: ignore[arg-type]
    assert facts.survey is not None
    return facts, facts.survey, findings


def dirty(root: Path) -> str:
    return make(
        root,
        {
            "train/a": [GOOD, "1 .3 .3 .1 .1"],
            "train/b": [GOOD, "0 .5 .5"],
            "train/c": [GOOD, GOOD],
            "train/d": [GOOD, "7 .5 .5 .2 .2"],
            "train/e": ["0 .1 .1 .5 .1 .3 .4", GOOD],
            "val/f": ["1 1.005 .5 .1 .1", GOOD],
            "val/g": None,
        },
    )


def test_every_loader_is_counted_as_if_it_had_read_alone(tmp_path: Path) -> None:
    data = dirty(tmp_path)
    _, survey, _ = run(data, loader="all")
    assert [one.loader for one in survey.loaders] == list(ROW_LOADERS)
    for one in survey.loaders:
        facts, _, _ = run(data, loader=one.loader)
        assert facts.labels is not None
        assert (one.kept, one.lost, one.images) == (facts.labels.kept, facts.labels.lost.rows, facts.labels.lost.images)
        assert one.by_rule == facts.labels.lost.by_rule
        assert one.kept + one.lost == facts.labels.rows


def test_what_each_loader_does_with_a_row_is_told_apart(tmp_path: Path) -> None:
    _, survey, _ = run(dirty(tmp_path), loader="all")
    by = {one.loader: one for one in survey.loaders}
    # one row each: 3 columns, id 7, a box in a polygon file, x 1.005
    assert by["strict"].by_rule == {"centre-outside": 1, "class-out-of-range": 1, "column-count": 1, "mixed-rows": 1}
    assert by["strict"].images == 0
    assert by["yolov5-7.0"].misread == 1
    assert by["yolov5-7.0"].removed == 1
    assert by["yolov5-7.0"].images == 2  # 3 columns and x 1.005
    assert by["yolov5-4.0"].by_rule["duplicate-box"] == 2  # the whole image
    assert by["ultralytics-8.4"].by_rule["class-out-of-range"] == 2
    assert by["ultralytics-8.4"].misread == 0
    assert by["yolov5-7.0"].stops == 1


def test_no_loader_but_all_leaves_the_table_out(tmp_path: Path) -> None:
    assert run(dirty(tmp_path))[1].loaders == ()
    assert set(ROW_LOADERS) <= set(LOADERS)


def test_the_header_names_loader_and_why(tmp_path: Path) -> None:
    facts, _, _ = run(dirty(tmp_path))
    assert facts.settings is not None
    assert (facts.settings.loader, facts.settings.origins["loader"]) == ("strict", "no family is named")
    facts, _, _ = run(str(tmp_path), family="yolov7")
    assert facts.settings is not None
    assert (facts.settings.loader, facts.settings.family) == ("yolov7", "yolov7")


@pytest.mark.parametrize(("imgsz", "found"), [(None, 0), ((64, 64), 1), ((640, 640), 0), ((320, 64), 0)])
def test_a_box_is_below_a_pixel_at_the_input_size(tmp_path: Path, imgsz: tuple[int, int] | None, found: int) -> None:
    _, _, findings = run(make(tmp_path, {"train/a": ["0 .5 .5 .01 .1", "1 .5 .5 .2 .2"]}), imgsz=imgsz)
    assert [finding.rule for finding in findings].count("subpixel-box") == found


def test_parts_add_up_to_the_whole(tmp_path: Path) -> None:
    for by in ("folder", "split"):
        facts, survey, _ = run(dirty(tmp_path), by=by)
        assert facts.labels is not None
        assert sum(group.images for group in survey.groups) == facts.labels.images
        assert sum(group.rows for group in survey.groups) == facts.labels.rows
        assert sum(group.kept for group in survey.groups) == facts.labels.kept
        assert sum(group.lost for group in survey.groups) == facts.labels.lost.rows
    assert [(group.name, group.images, group.background, group.beyond, group.errors) for group in survey.groups] == [
        ("train", 5, 0, 1, 3),
        ("val", 2, 1, 0, 1),
    ]


def test_folders_are_named_below_the_root(tmp_path: Path) -> None:
    _, survey, _ = run(dirty(tmp_path), by="folder")
    assert [group.name for group in survey.groups] == ["images/val", "labels/train", "labels/val"]


def test_classes_by_split(tmp_path: Path) -> None:
    _, survey, _ = run(dirty(tmp_path), by="class")
    assert survey.classes is not None
    assert survey.classes.columns == ("train", "val")
    assert [(row.id, row.names, row.boxes) for row in survey.classes.rows] == [
        (0, ("cat", "cat"), (6, 1)),
        (1, ("dog", "dog"), (1, 0)),
    ]


def test_names_of_several_data_sets_side_by_side(tmp_path: Path) -> None:
    one = make(tmp_path / "a", {"train/x": [GOOD]}, "cat, dog")
    two = make(tmp_path / "b", {"train/y": ["1 .5 .5 .2 .2", "2 .5 .5 .2 .2", "9 .5 .5 .2 .2"]}, "cat, fox, owl")
    facts, survey, findings = run(one, two)
    assert facts.labels is not None
    assert facts.data is not None
    assert facts.data.root == str(tmp_path)
    assert (facts.labels.images, facts.labels.rows, facts.labels.kept) == (2, 4, 3)
    assert survey.classes is not None
    assert [(row.names, row.boxes) for row in survey.classes.rows] == [
        (("cat", "cat"), (1, 0)),
        (("dog", "fox"), (0, 1)),
        ((None, "owl"), (0, 1)),
    ]
    assert [(each.rows, each.kept, each.beyond) for each in survey.sets] == [(1, 1, 0), (3, 2, 1)]
    assert [finding.rule for finding in findings if finding.code.startswith("DET28")] == ["names-differ", "names-missing"]


def test_swapped_names_are_one_finding(tmp_path: Path) -> None:
    one = make(tmp_path / "a", {"train/x": [GOOD, "1 .2 .2 .1 .1"]}, "cat, dog")
    two = make(tmp_path / "b", {"train/y": [GOOD, "1 .2 .2 .1 .1"]}, "dog, Cat")
    _, _, findings = run(one, two)
    (swapped,) = [finding for finding in findings if finding.code.startswith("DET28")]
    assert swapped.rule == "names-swapped"
    assert "'dog' is 0 here and 1 there" in swapped.message


def test_one_data_set_twice_is_a_mistake(tmp_path: Path) -> None:
    data = dirty(tmp_path)
    with pytest.raises(DetlossError, match="twice"):
        run(data, data)


def test_a_list_has_the_form_that_trainers_read(tmp_path: Path) -> None:
    _, survey, findings = run(dirty(tmp_path))
    found = touched(survey.pictures, [finding for finding in findings if finding.severity != "info"])
    kept = clean(survey.pictures, found, None)
    assert picture_list(survey.pictures, kept, str(tmp_path / "train.txt")) == b"./images/train/a.jpg\n"
    assert picture_list(survey.pictures, kept, "/elsewhere/train.txt") == f"{tmp_path}/images/train/a.jpg\n".encode()
    bad = picture_list(survey.pictures, found, str(tmp_path / "bad.txt")).decode().split()
    assert bad == [f"./images/{name}.jpg" for name in ("train/b", "train/c", "train/d", "train/e", "val/f", "val/g")]


def test_the_clean_list_reads_clean(tmp_path: Path) -> None:
    _, survey, findings = run(dirty(tmp_path))
    kept = clean(survey.pictures, touched(survey.pictures, findings), ["train", "val"])
    (tmp_path / "clean.txt").write_bytes(picture_list(survey.pictures, kept, str(tmp_path / "clean.txt")))
    facts, _, again = run(str(tmp_path / "clean.txt"), names="cat,dog")
    assert again == []
    assert facts.labels is not None
    assert facts.labels.images == len(kept) == 1


def test_labels_alone_have_no_list_to_train_on(tmp_path: Path) -> None:
    dirty(tmp_path)
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "a.txt").write_text(GOOD)
    _, survey, _ = run(str(tmp_path / "alone"))
    with pytest.raises(DetlossError, match="needs pictures"):
        clean(survey.pictures, {}, None)


def test_the_worst_pictures_come_first(tmp_path: Path) -> None:
    data = make(tmp_path, {"train/a": ["x"], "train/b": ["x", "y", GOOD], "train/c": [GOOD], "train/d": None})
    facts, survey, findings = run(data)
    assert facts.data is not None
    rows = worst(survey.pictures, touched(survey.pictures, findings), facts.data.root, 3)
    assert [(row["path"], row["errors"], row["warnings"]) for row in rows] == [
        ("images/train/b.jpg", 2, 0),
        ("images/train/a.jpg", 1, 0),
        ("images/train/d.jpg", 0, 1),
    ]
    assert rows[0]["by_rule"] == {"not-numeric": 2}


def test_darknet_names_lists_and_labels(tmp_path: Path) -> None:
    make(tmp_path, {"train/a": [GOOD, "1 .3 .3 .1 .1"], "train/b": ["2 .5 .5 .2 .2"], "val/c": [GOOD]})
    (tmp_path / "obj.names").write_text("cat\ndog\n")
    (tmp_path / "train.txt").write_text("images/train/a.jpg\nimages/train/b.jpg\n")
    (tmp_path / "val.txt").write_text("images/val/c.jpg\nimages/val/gone.jpg\n")
    (tmp_path / "obj.data").write_text("classes = 2\ntrain = train.txt\nvalid = val.txt\nnames = obj.names\nbackup = backup/\n")
    facts, _, findings = run(str(tmp_path / "obj.data"))
    assert facts.labels is not None
    assert [(one.name, one.boxes) for one in facts.labels.classes] == [("cat", 2), ("dog", 1)]
    assert (facts.labels.images, facts.labels.rows, facts.labels.kept) == (3, 4, 3)
    assert [(finding.rule, finding.where.line) for finding in findings if finding.where is not None and finding.where.line] == [
        ("listed-image-missing", 2),
        ("class-out-of-range", 1),
    ]
