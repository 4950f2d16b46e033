"""Whatever stands in a train command, a settings file or a log: an answer or one line, never an error of ours, and nothing is run."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.results_log import read_log
from detloss_cli.inputs.run_folder import read_run
from detloss_cli.inputs.train_command import read_command

PLAIN = (
    "python train.py yolo train detect torchrun -m torch.distributed.run --nproc_per_node --data --img --batch --hyp --weights --cfg data="
    " model=yolo11n.pt imgsz=[1,2] batch=1e999 --label-smoothing=nan ' \" && $(x) -- - = --= cfg=. device=0,1 resume ٣ --imgsz=-1 env A=b"
)
WORDS = st.sampled_from([*PLAIN.split(), "9" * 5000, "\0", "\ud800"])
VALUES = st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=8), st.lists(st.integers(-2, 9), max_size=3))
KEYS = st.sampled_from(
    [
        "weights",
        "cfg",
        "data",
        "hyp",
        "imgsz",
        "img_size",
        "batch_size",
        "batch",
        "classes",
        "rect",
        "model",
        "label_smoothing",
        "task",
        "cls_pw",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=9))
def test_any_words(words: list[str]) -> None:
    for command in (words, [" ".join(words)]):
        with contextlib.suppress(DetlossError):
            read_command(command)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, VALUES), st.sampled_from(["args.yaml", "opt.yaml", "hyp.yaml"]), st.binary(max_size=40))
def test_any_settings(values: dict[str, object], name: str, tail: bytes) -> None:
    text = "".join(f"{key}: {value!r}\n" for key, value in values.items()).encode("utf-8", "replace")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(text + tail)
        with contextlib.suppress(DetlossError):
            training = read_run(folder)
            assert set(training.fields) <= set(training.origins)
            assert not set(training.fields) & set(training.asked)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["results.csv", "results.txt"]))
def test_any_log(body: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(b"epoch,train/box_loss\n" * (name == "results.csv") + body)
        log = read_log(str(path))
        assert all(len(values) == len(log.epochs) for values in log.terms.values())
