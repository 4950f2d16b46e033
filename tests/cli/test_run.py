"""`--run` from end to end: settings, header and log."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from cli_runs import Command, asked, logged, run_folder

from detloss_cli.report.sections.run import sparkline


def test_a_run_is_the_same_as_its_options(detloss: Command, home: Path) -> None:
    by_run = asked(detloss, "compute", "--run", run_folder(home))
    options = ["--hyp", "runs/train/exp/hyp.yaml", "--model", "yolov5s", "--imgsz", "320", "--batch-size", "8", "--profile", "6.2"]
    by_options = asked(detloss, "compute", "vegetables/data.yaml", *options)
    assert by_run["settings"]["profile"] == "7.0"
    assert by_run["totals"] == asked(detloss, "compute", "vegetables/data.yaml", *options[:-2])["totals"] != {}
    assert by_run["settings"]["imgsz"] == by_options["settings"]["imgsz"] == [320, 320]
    assert by_run["settings"]["batch_size"] == 8


def test_every_value_names_its_file(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home, {"label_smoothing": 0.1}))
    origins = body["settings"]["origins"]
    assert origins["imgsz"] == origins["batch_size"] == "opt.yaml"
    assert (origins["hyp"], origins["model"]) == ("hyp.yaml", "opt.yaml weights")
    assert origins["profile"] == "opt.yaml holds the whole hyp"
    assert "opt.yaml" in origins["label_smoothing"]
    assert ["imgsz", "320", "opt.yaml"] in body["run"]["values"]
    _, out, _ = detloss("compute", "--run", "runs/train/exp")
    head = " ".join(out[: out.index("\ntargets")].split())
    assert "opt.yaml: data data.yaml · imgsz 320 · batch 8" in head
    assert "opt.yaml weights: model yolov5s" in head
    assert "hyp.yaml: hyp hyp.yaml" in head
    assert "no results.csv" in head


def test_an_explicit_option_wins(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home), "--imgsz", "640", "--batch-size", "16", "--profile", "6.0")
    assert (body["settings"]["imgsz"], body["settings"]["batch_size"], body["settings"]["profile"]) == ([640, 640], 16, "6.0")
    assert {"imgsz", "batch_size", "profile"} & {key for key, _, _ in body["run"]["values"]} == set()
    assert body["settings"]["origins"]["imgsz"] == "--imgsz"


def test_another_family_leaves_the_release_of_the_run(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home), "--trainer", "yolov5-6.0")
    assert (body["settings"]["profile"], body["settings"]["loader"]) == ("6.0", "yolov5-4.0")


def test_a_run_comes_before_the_settings_of_the_project(detloss: Command, home: Path) -> None:
    (home / "detloss.yaml").write_text("imgsz: 640\nbatch-size: 4\nmodel: yolov7\ndata: nowhere.yaml\n")
    body = asked(detloss, "compute", "--run", run_folder(home))
    assert (body["settings"]["model"], body["settings"]["batch_size"]) == ("yolov5s", 8)


def test_what_is_missing_is_asked_for_in_one_line(detloss: Command, home: Path) -> None:
    folder = run_folder(home)
    (home / folder / "opt.yaml").unlink()
    code, out, err = detloss("compute", "--run", folder)
    assert (code, out) == (2, "")
    assert err == f"detloss: {folder}: opt.yaml is missing (give DATA --model --imgsz --batch-size)\n"
    options = ("--model", "yolov5s", "--imgsz", "320", "--batch-size", "8")
    assert asked(detloss, "compute", "vegetables/data.yaml", "--run", folder, *options)["settings"]["batch_size"] == 8


def test_a_hyp_needs_no_data(detloss: Command, home: Path) -> None:
    body = asked(detloss, "inspect", "hyp", "--run", run_folder(home, {"data": "gone.yaml"}))
    assert body["gains"]


@pytest.mark.parametrize("command", [["inspect", "labels"], ["inspect", "targets"], ["inspect", "anchors"], ["check"]])
def test_every_command_takes_a_run(command: list[str], detloss: Command, home: Path) -> None:
    body = asked(detloss, *command, "--run", run_folder(home))
    assert body["settings"]["loader"] == "yolov5-7.0"
    assert body["labels"]["boxes"] in (201, 400)


def test_epochs_stand_beside_the_marks(detloss: Command, home: Path) -> None:
    epochs = range(12)
    log = logged(
        box=[0.1 * 0.9**epoch for epoch in epochs],
        obj=[0.006 + 0.01 * 0.1**epoch for epoch in epochs],
        cls=[0.05 * 0.8**epoch for epoch in epochs],
    )
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    terms = {one["term"]: one for one in body["run"]["log"]["terms"]}
    for name, one in terms.items():
        assert [one["step_0"], one["base_rate"], one["floor"]] == [body["marks"][mark][name] for mark in ("prior", "base_rate", "perfect")]
    assert terms["obj"]["values"] == [pytest.approx(0.006 + 0.01 * 0.1**epoch) for epoch in epochs]
    below = terms["obj"]["below"]
    assert all(value < terms["obj"]["base_rate"] for value in terms["obj"]["values"][below:])
    assert below == 0 or terms["obj"]["values"][below - 1] >= terms["obj"]["base_rate"]
    assert [one["code"] for one in body["findings"] if one["rule"].startswith("log-")] == ["DET711"]
    _, out, _ = detloss("compute", "--run", "runs/train/exp")
    assert "results.csv is of augmented pictures, the marks are not" in out
    assert "█▇" in out


def test_objectness_that_still_falls_is_not_called_flat(detloss: Command, home: Path) -> None:
    log = logged(obj=[0.018 - 0.001 * epoch for epoch in range(12)])
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    assert [one["rule"] for one in body["findings"] if one["rule"].startswith("log-")] == []


def test_a_first_epoch_above_step_0_points_at_what_differs(detloss: Command, home: Path) -> None:
    log = logged(box=[0.5, 0.4, 0.3], obj=[0.03, 0.02, 0.01])
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    (found,) = [one for one in body["findings"] if one["rule"] == "log-first-epoch-high"]
    assert "box starts at 0.5" in found["message"]
    assert all(word in found["hint"] for word in ("gains", "anchors", "profile"))


def test_a_loss_that_is_not_finite_is_told_by_epoch(detloss: Command, home: Path) -> None:
    log = logged(box=[0.1, math.nan, math.nan], obj=[0.03, 0.02, math.inf])
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    (found,) = [one for one in body["findings"] if one["rule"] == "log-not-finite"]
    assert found["message"].startswith("box is not finite from epoch 1 on")
    assert body["run"]["log"]["terms"][0]["values"] == [0.1, None, None]
    assert body["summary"]["exit_code"] == 1


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([1.0], "▁"), ([3, 2, 1], "█▅▁"), ([1, 1, 1], "▁▁▁"), ([2, None, 1], "█?▁"), (list(range(44)), "▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇██")],
)
def test_sparkline(values: list[float | None], bars: str) -> None:
    assert sparkline(values) == bars
