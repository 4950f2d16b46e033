"""Logs of the trainers: their columns, padded or not, resumed, cut off in the middle of a line."""

from __future__ import annotations

import math
from pathlib import Path

from detloss_cli.inputs.results_log import read_log

YOLOV5 = (
    "               epoch,      train/box_loss,      train/obj_loss,      train/cls_loss,   metrics/precision,        val/box_loss\n"
    "                   0,             0.11205,            0.030712,            0.050123,              0.0012,              0.1\n"
    "                   1,             0.10110,            0.029001,                 nan,              0.0102,              0.1\n"
)


def written(folder: Path, text: str, name: str = "results.csv") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_yolov5_pads_its_columns(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, YOLOV5))
    assert log.epochs == (0, 1)
    assert log.terms["box"] == (0.11205, 0.1011)
    assert math.isnan(log.terms["cls"][1])
    assert set(log.terms) == {"box", "obj", "cls"}
    assert log.unread == 0


def test_ultralytics_counts_from_1(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,lr/pg0\n1,9.1,1.5,3.0,1.2,0.1\n"))
    assert (log.epochs, log.terms) == ((1,), {"box": (1.5,), "cls": (3.0,), "dfl": (1.2,)})


def test_results_txt_of_yolov7(tmp_path: Path) -> None:
    text = "     0/299     1.2G   0.08   0.01   0.03   0.12      12     640       0.1\n"
    text += "     1/299     1.2G   0.07  0.009   0.02    0.1       9     640\n"
    log = read_log(written(tmp_path, text, "results.txt"))
    assert log.epochs == (0, 1)
    assert log.terms == {"box": (0.08, 0.07), "obj": (0.01, 0.009), "cls": (0.03, 0.02), "total": (0.12, 0.1)}


def test_a_resumed_run_writes_epochs_twice_and_the_later_counts(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "epoch,train/box_loss\n0,3\n1,2\n1,1.9\n2,1.5\n"))
    assert (log.epochs, log.terms["box"]) == ((0, 1, 2), (3.0, 1.9, 1.5))


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "epoch,train/box_loss\n0,3\n1\nx,y\n2,1.5\n"))
    assert (log.epochs, log.unread) == ((0, 2), 2)


def test_an_empty_log_has_no_epoch(tmp_path: Path) -> None:
    assert read_log(written(tmp_path, "")).epochs == ()
    assert read_log(written(tmp_path, "a,b\n1,2\n")).terms == {}
