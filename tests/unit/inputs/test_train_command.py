"""Train commands as people type them: parsed, or refused with the word that is not known. Nothing is ever run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.train_command import read_command

# command -> what it says
PARSED = {
    "python train.py --img 640 --batch 16 --epochs 3 --data d.yaml --weights yolov5s.pt": {"imgsz": (640, 640), "batch_size": 16},
    "python3 train.py --img=1280 --batch-size=8 --data=d.yaml --cfg=yolov5s6.yaml --weights=''": {
        "model": "yolov5s6",
        "imgsz": (1280, 1280),
    },
    "CUDA_VISIBLE_DEVICES=0,1 python yolov5/train.py --data d.yaml --single-cls --label-smoothing 0.1": {"single_cls": True},
    "env WANDB_MODE=offline python -u train.py --data d.yaml --noautoanchor": {"anchors": "stock"},
    "python -m torch.distributed.run --nproc_per_node 2 train.py --batch 64 --data d.yaml --device 0,1": {"batch_size": 32},
    "python -m torch.distributed.launch --nproc_per_node=4 --master_port 1234 train.py --batch-size 64 --data d.yaml": {"batch_size": 16},
    "torchrun --standalone --nproc-per-node=2 train.py --data 'd.yaml' --weights \"yolov5m.pt\"": {"model": "yolov5m", "batch_size": 8},
    "nohup python3.11 /opt/yolov5/train.py --data d.yaml --freeze 0 1 2 --cache --rect": {"rect": True},
    "!python train.py --img 416 --batch 16 --data d.yaml --name x --cache ram": {"imgsz": (416, 416)},
    "python train.py --image-weights --hyp hyp.scratch-high.yaml --data d.yaml": {"hyp": "scratch-high"},
    "python train.py --adam --data d.yaml": {"profile": "6.0"},
    "python train.py --workers 8 --device 0 --batch-size 32 --data d.yaml --img 640 640 --cfg cfg/training/yolov7.yaml --weights '' "
    "--name yolov7 --hyp data/hyp.scratch.p5.yaml": {"family": "yolov7", "model": "yolov7", "hyp": "yolov7-p5", "batch_size": 32},
    "python train_aux.py --workers 8 --device 0 --batch-size 16 --data d.yaml --img 1280 1280 --cfg yolov7-w6.yaml --weights '' "
    "--hyp data/hyp.scratch.p6.yaml": {"profile": "aux", "model": "yolov7-w6", "imgsz": (1280, 1280)},
    "yolo detect train data=d.yaml model=yolo11n.pt epochs=100 imgsz=640": {"family": "yolov8", "model": "yolo11n"},
    "yolo train data=d.yaml model=yolov8n.yaml pretrained=yolov8n.pt batch=8 single_cls": {"model": "yolov8n", "single_cls": True},
    "yolo task=detect mode=train model=yolov8s.pt data=d.yaml imgsz=1280 classes=[0,2] rect=True": {"classes": (0, 2), "rect": True},
    "yolo detect train --data=d.yaml --model=yolo26n.pt device=0,1 batch=32": {"model": "yolo26n", "batch_size": 16},
    "uv run yolo train model=yolo11m-p2.yaml data=d.yaml box=9 cls=1.5": {"model": "yolo11m-p2"},
    "WANDB_DISABLED=true poetry run python train.py --data d.yaml --weights yolov5x6.pt --img 1280": {"model": "yolov5x6"},
    "python train.py \\\n  --img 640 \\\n  --data d.yaml \\\n  --weights yolov5n.pt": {"model": "yolov5n"},
    "yolo train model=yolo11n.pt data=d.yaml batch=-1": {"batch_size": 16},
    "yolo detect train data = d.yaml model= yolov8n.pt imgsz =320": {"model": "yolov8n", "imgsz": (320, 320)},
    "python.exe train.py --data .\\d.yaml --weights weights\\yolov5s.pt": {"model": "yolov5s"},
}
# command -> the word that is not known, and what is said of it
REFUSED = {
    "python train.py --dta d.yaml": ("--dta", "is no option of yolov5's train.py"),
    "python train.py --data d.yaml --save d": ("--save", "could be"),
    "python train.py --rect=1 --data d.yaml": ("--rect=1", "takes no value"),
    "python train.py --data": ("--data", "has no value"),
    "python train.py d.yaml": ("d.yaml", "is no option"),
    "yolo detect train data=d.yaml modle=yolo11n.pt": ("modle=yolo11n.pt", "is no setting of ultralytics"),
    "yolo detect val model=best.pt data=d.yaml": ("val", "trains nothing"),
    "yolo detct train data=d.yaml": ("detct", "is no setting"),
    "python detect.py --weights yolov5s.pt": ("detect.py", "is no trainer that is known"),
    "python segment/train.py --data d.yaml": ("segment/train.py", "trains another loss"),
    "python -m my.trainer --data d.yaml": ("my.trainer", "is no trainer that is known"),
    "python train.py --data d.yaml && rm -rf x": ("&&", "joins commands"),
    "python train.py --data d.yaml; touch MARKER": (";", "joins commands"),
    "python train.py --data $(touch MARKER)": ("$", "is for the shell"),
    "python train.py --data `touch MARKER`": ("`touch", "is for the shell"),
    "python train.py --data $DATA": ("$DATA", "is for the shell"),
    "python train.py --resume runs/train/exp/weights/last.pt": ("resume", "detloss check --run"),
    "torchrun --nprocs 2 train.py --data d.yaml": ("--nprocs", "is no option of torchrun"),
    "accelerate launch train.py --data d.yaml": ("accelerate", "is no trainer that is known"),
    "python train.py --data 'd.yaml": ("quote", "not closed"),
    "python -c 'import os'": ("-c", "is no trainer"),
    "yolo segment train data=d.yaml model=yolo11n-seg.pt": ("segment", "trains another loss"),
    "yolo task=pose mode=train data=d.yaml model=yolo11n-pose.pt": ("pose", "trains another loss"),
    "yolo detect train data=d.yaml model=yolov8n.pt =": ("=", "is no setting"),
    "conda run -n yolo python train.py --data d.yaml": ("conda", "is no trainer that is known"),
}


@pytest.fixture(autouse=True)
def beside_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "d.yaml").write_text("train: images\nval: images\nnames: [a, b, c]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", PARSED)
def test_a_command_says_what_its_trainer_would_do(command: str) -> None:
    training = read_command([command])
    assert training.asked == {}
    assert training.fields["data"] == ("d.yaml",)
    for key, value in PARSED[command].items():
        assert training.fields[key] == value, key
    assert all(training.origins[key] for key in training.fields)


@pytest.mark.parametrize("command", REFUSED)
def test_a_word_that_is_not_known_is_named(command: str, beside_data: Path) -> None:
    word, why = REFUSED[command]
    with pytest.raises(DetlossError) as caught:
        read_command([command])
    assert word in str(caught.value)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in beside_data.iterdir()] == ["d.yaml"]


def test_words_and_one_text_are_the_same() -> None:
    words = ["python", "train.py", "--data", "d.yaml", "--img", "320"]
    assert read_command(words).fields == read_command([" ".join(words)]).fields


def test_gains_of_the_command_overwrite_those_of_the_trainer() -> None:
    training = read_command(["yolo train model=yolo11n.pt data=d.yaml box=9 cls=1.5"])
    assert training.overrides == {"box": 9.0, "cls": 1.5}
    assert read_command(["python train.py --data d.yaml --label-smoothing 0.1"]).overrides == {"label_smoothing": 0.1}


def test_settings_file_stands_below_the_command(beside_data: Path) -> None:
    (beside_data / "c.yaml").write_text("box: 3.0\nimgsz: 320\nbatch: 4\n")
    training = read_command(["yolo train cfg=c.yaml model=yolo11n.pt data=d.yaml imgsz=512"])
    assert training.fields["imgsz"] == (512, 512)
    assert (training.fields["batch_size"], training.origins["batch_size"]) == (4, "c.yaml")
    assert training.fields["hyp"] == "c.yaml"


def test_a_default_is_said_to_be_one() -> None:
    training = read_command(["python train.py --data d.yaml"])
    assert training.origins["imgsz"] == training.origins["batch_size"] == "yolov5's default"


def test_data_that_is_not_here_is_asked_for() -> None:
    assert "nowhere.yaml is not here" in read_command(["python train.py --data nowhere.yaml"]).asked["data"]


WATCHED = """
import json, sys
events = []
def hook(event, arguments):
    if event in ("exec", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "subprocess.Popen", "pty.spawn", "import"):
        events.append((event, str(arguments[:1])))
from detloss_cli.errors import DetlossError
from detloss_cli.inputs.train_command import read_command
read_command(["yolo train model=yolo11n.pt data=d.yaml"])
sys.addaudithook(hook)
for command in json.loads(sys.stdin.read()):
    try:
        read_command([command])
    except DetlossError:
        pass
print(json.dumps(events))
"""


def test_nothing_of_a_command_is_run(beside_data: Path) -> None:
    import json

    commands = [*PARSED, *REFUSED, "python train.py --data d.yaml --name \"__import__('os').system('touch MARKER')\""]
    done = subprocess.run([sys.executable, "-c", WATCHED], input=json.dumps(commands), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
    assert not (beside_data / "MARKER").exists()
