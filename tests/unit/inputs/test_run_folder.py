"""Run folders as the trainers write them: every setting and its source, and what is asked for where a file is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.run_folder import read_run

HYP = {"lr0": 0.01, "box": 0.05, "cls": 0.5, "cls_pw": 1.0, "obj": 1.0, "obj_pw": 1.0, "iou_t": 0.2, "anchor_t": 4.0, "fl_gamma": 0.0}
OLDEST = {
    "weights": "yolov5s.pt",
    "cfg": "",
    "data": "data/set.yaml",
    "hyp": "data/hyp.scratch.yaml",
    "epochs": 300,
    "rect": False,
    "noautoanchor": False,
    "single_cls": False,
    "quad": False,
    "multi_scale": False,
    "image_weights": False,
    "save_dir": "runs/train/exp",
}
DDP = {"img_size": [640, 640], "batch_size": 8, "total_batch_size": 16, "world_size": 2, "global_rank": 0, "notest": False}
V50 = {**OLDEST, **DDP, "linear_lr": False, "label_smoothing": 0.0}
V60 = {**OLDEST, "imgsz": 640, "batch_size": 16, "linear_lr": False, "adam": False, "noval": False, "label_smoothing": 0.0, "freeze": 0}
V61 = {**OLDEST, "imgsz": 640, "batch_size": 16, "cos_lr": False, "optimizer": "SGD", "label_smoothing": 0.1, "freeze": [0]}
V62 = {**V61, "seed": 0, "noplots": False}
V70 = {**V62, "hyp": HYP}
V7 = {**OLDEST, **DDP, "weights": "", "cfg": "cfg/training/yolov7.yaml", "hyp": "data/hyp.scratch.p5.yaml", "v5_metric": False}
GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5, "nbs": 64}
U81 = {"task": "detect", "mode": "train", "model": "yolov8n.pt", "data": "data/set.yaml", "epochs": 100, "batch": 16, "imgsz": 640}
U81 |= {"rect": False, "single_cls": False, "fraction": 1.0, "multi_scale": False, "classes": None, "label_smoothing": 0.0, **GAINS}
U830 = {**U81, "copy_paste_mode": "flip", "model": "yolo11s.pt"}
U83 = {**U830, "cutmix": 0.0, "compile": False, "classes": [0, 2], "device": [0, 1]}
U840 = {**U83, "end2end": None, "rle": 1.0, "angle": 1.0, "model": "yolo26n.yaml"}
U84 = {**U840, "cls_pw": 0.25, "multi_scale": 0.0}
V5_LOG = "epoch,train/box_loss,train/obj_loss,train/cls_loss\n0,.1,.05,.03\n"
U_LOG = "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss\n1,3.2,1.5,3.1,1.2\n"
TXT = "     0/299     1.2G   0.1   0.05   0.03   0.18   12   640\n"
RUNS = {
    "yolov5 5.0": ("opt.yaml", V50, "results.txt", TXT),
    "yolov5 6.0": ("opt.yaml", V60, "results.csv", V5_LOG),
    "yolov5 6.1": ("opt.yaml", V61, "results.csv", V5_LOG),
    "yolov5 6.2": ("opt.yaml", V62, "results.csv", V5_LOG),
    "yolov5 7.0": ("opt.yaml", V70, "results.csv", V5_LOG),
    "yolov7 ota": ("opt.yaml", V7, "results.txt", TXT),
    "yolov8 8.1": ("args.yaml", U81, "results.csv", U_LOG),
    "yolov8 8.3.0": ("args.yaml", U830, "results.csv", U_LOG),
    "yolov8 8.3.200": ("args.yaml", U83, "results.csv", U_LOG),
    "yolov8 8.4.0": ("args.yaml", U840, "results.csv", U_LOG),
    "yolov8 8.4.190": ("args.yaml", U84, "results.csv", U_LOG),
}


def write(repository: Path, name: str, *without: str) -> Path:
    """A run in its repository: settings, hyp and log."""
    settings, values, log, text = RUNS[name]
    run = repository / "runs" / "train" / "exp"
    run.mkdir(parents=True)
    (repository / "data").mkdir()
    (repository / "data" / "set.yaml").write_text("train: images\nval: images\nnames: [a, b, c]\n")
    files = {settings: yaml.safe_dump(values, sort_keys=False), log: text}
    if settings == "opt.yaml":
        files["hyp.yaml"] = yaml.safe_dump(HYP | ({"loss_ota": 1} if "yolov7" in name else {}))
    for file, body in files.items():
        if file not in without:
            (run / file).write_text(body)
    return run


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)  # the trainer's working folder is not ours
    return tmp_path / "repository"


@pytest.mark.parametrize("name", RUNS)
def test_a_complete_run_says_everything(name: str, repository: Path) -> None:
    run = write(repository, name)
    training = read_run(str(run))
    family, profile = name.split()
    assert (training.fields["family"], training.fields["profile"]) == (family, profile)
    assert training.asked == {}
    assert training.missing == ()
    assert training.log is not None
    assert Path(training.fields["data"][0]).resolve() == repository / "data" / "set.yaml"
    assert training.fields["imgsz"] == (640, 640)
    assert Path(training.fields["hyp"]) == run / ("args.yaml" if family == "yolov8" else "hyp.yaml")
    assert training.origins.keys() >= training.fields.keys()
    assert all(training.origins.values())


@pytest.mark.parametrize(
    ("name", "model", "origin", "loader", "batch"),
    [
        ("yolov5 5.0", "yolov5s", "opt.yaml weights", "yolov5-4.0", 8),
        ("yolov5 6.0", "yolov5s", "opt.yaml weights", "yolov5-4.0", 16),
        ("yolov5 6.1", "yolov5s", "opt.yaml weights", "yolov5-6.1", 16),
        ("yolov5 6.2", "yolov5s", "opt.yaml weights", "yolov5-7.0", 16),
        ("yolov5 7.0", "yolov5s", "opt.yaml weights", "yolov5-7.0", 16),
        ("yolov7 ota", "yolov7", "opt.yaml", "yolov7", 8),
        ("yolov8 8.1", "yolov8n", "args.yaml model", "ultralytics-8.4", 16),
        ("yolov8 8.3.200", "yolo11s", "args.yaml model", "ultralytics-8.4", 16),
        ("yolov8 8.4.190", "yolo26n", "args.yaml model", "ultralytics-8.4", 16),
    ],
)
def test_head_loader_and_batch(name: str, model: str, origin: str, loader: str, batch: int, repository: Path) -> None:
    training = read_run(str(write(repository, name)))
    assert (training.fields["model"], training.origins["model"]) == (model, origin)
    assert training.fields["loader"] == loader
    assert training.fields["batch_size"] == batch


def test_the_release_is_read_off_the_keys(repository: Path) -> None:
    training = read_run(str(write(repository, "yolov8 8.4.190")))
    assert training.origins["profile"] == "key cls_pw of args.yaml"


@pytest.mark.parametrize(
    ("name", "gone", "asked"),
    [
        ("yolov5 7.0", "opt.yaml", {"data", "model", "imgsz", "batch_size"}),
        ("yolov7 ota", "opt.yaml", {"data", "model", "imgsz", "batch_size"}),
        ("yolov8 8.4.190", "args.yaml", {"data", "model", "imgsz", "batch_size", "hyp"}),
        ("yolov5 7.0", "hyp.yaml", set()),
        ("yolov7 ota", "hyp.yaml", set()),
        ("yolov5 6.0", "hyp.yaml", set()),
        ("yolov5 7.0", "results.csv", set()),
        ("yolov8 8.1", "results.csv", set()),
        ("yolov7 ota", "results.txt", set()),
    ],
)
def test_what_a_missing_file_leaves_unknown(name: str, gone: str, asked: set[str], repository: Path) -> None:
    training = read_run(str(write(repository, name, gone)))
    assert training.missing == (gone,)
    assert set(training.asked) == asked
    assert not asked & set(training.fields)
    assert (training.log is None) == gone.startswith("results")


def test_without_hyp_yaml_the_run_of_7_has_it_in_opt_yaml(repository: Path) -> None:
    run = write(repository, "yolov5 7.0", "hyp.yaml")
    training = read_run(str(run))
    assert (training.fields["hyp"], training.fields["hyp_section"]) == (str(run / "opt.yaml"), "hyp")


def test_without_hyp_yaml_a_shipped_one_is_said_to_be_shipped(repository: Path) -> None:
    training = read_run(str(write(repository, "yolov7 ota", "hyp.yaml")))
    assert (training.fields["hyp"], training.origins["hyp"]) == ("yolov7-p5", "opt.yaml, as it comes with detloss")


def test_switches_that_change_the_loss(repository: Path) -> None:
    V61["single_cls"] = True
    try:
        training = read_run(str(write(repository, "yolov5 6.1")))
    finally:
        V61["single_cls"] = False
    assert training.fields["single_cls"] is True
    assert training.overrides == {"label_smoothing": 0.1}
    assert training.fields["anchors"] == "auto"


def test_classes_of_ultralytics(repository: Path) -> None:
    assert read_run(str(write(repository, "yolov8 8.3.200"))).fields["classes"] == (0, 2)


@pytest.mark.parametrize(("key", "value"), [("rect", True), ("quad", True), ("multi_scale", True), ("image_weights", True)])
def test_what_is_not_modelled_is_said(key: str, value: bool, repository: Path) -> None:
    run = write(repository, "yolov5 7.0")
    text = (run / "opt.yaml").read_text().replace(f"{key}: false", f"{key}: true")
    (run / "opt.yaml").write_text(text)
    (fault,) = read_run(str(run)).faults
    assert (fault.kind, fault.token) == ("switch-not-modelled", f"{key}: true")
    assert text.splitlines()[(fault.line or 0) - 1] == f"{key}: true"


def test_a_batch_that_the_trainer_chooses_is_asked_for(repository: Path) -> None:
    run = write(repository, "yolov5 7.0")
    (run / "opt.yaml").write_text((run / "opt.yaml").read_text().replace("batch_size: 16", "batch_size: -1"))
    assert set(read_run(str(run)).asked) == {"batch_size"}


def test_data_that_has_moved(repository: Path, tmp_path: Path) -> None:
    run = write(repository, "yolov5 7.0")
    text = (run / "opt.yaml").read_text().replace("data/set.yaml", "C:\\Users\\x\\sets\\data\\set.yaml")
    (run / "opt.yaml").write_text(text)
    assert "is not here" in read_run(str(run)).asked["data"]
    training = read_run(str(run), root=str(repository))
    assert training.fields["data"] == (str(repository / "data" / "set.yaml"),)
    assert training.origins["data"] == f"opt.yaml, found at {repository / 'data' / 'set.yaml'}"


def test_weights_of_an_earlier_run_are_no_head(repository: Path) -> None:
    run = write(repository, "yolov5 7.0")
    (run / "opt.yaml").write_text((run / "opt.yaml").read_text().replace("yolov5s.pt", "runs/train/exp3/weights/best.pt"))
    assert "best.pt" in read_run(str(run)).asked["model"]


def test_a_tag_in_a_settings_file_is_refused_and_nothing_runs(repository: Path, tmp_path: Path) -> None:
    run = write(repository, "yolov5 7.0")
    marker = tmp_path / "ran"
    (run / "opt.yaml").write_text((run / "opt.yaml").read_text() + f"evil: !!python/object/apply:os.system ['touch {marker}']\n")
    assert [fault.kind for fault in read_run(str(run)).faults] == ["yaml-tag"]
    assert not marker.exists()


@pytest.mark.parametrize(("make", "words"), [(False, "no such run folder"), (True, "no trainer's run")])
def test_what_is_no_run_is_refused(make: bool, words: str, tmp_path: Path) -> None:
    folder = tmp_path / "exp"
    if make:
        folder.mkdir()
    with pytest.raises(DetlossError, match=words):
        read_run(str(folder))


def test_a_file_of_the_run_stands_for_its_folder(repository: Path) -> None:
    run = write(repository, "yolov8 8.1")
    assert read_run(str(run / "args.yaml")).fields == read_run(str(run)).fields
