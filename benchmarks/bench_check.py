"""The gate over a whole set, as a process and without the label cache, against scripting the same from a trainer's parts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from in_turn import Goal, Row, in_turn, peak_memory, run
from workplace import DETLOSS, Place

HERE = Path(__file__).resolve().parent
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import plain_yolov5
print(plain_yolov5.mean_loss("prior", list(plain_yolov5.batches(plain_yolov5.read(Path(sys.argv[2]))))))
"""


def prepare(place: Place) -> None:
    place.coco()


def measure(place: Place) -> Iterator[Row]:
    data = place.coco()
    check = (DETLOSS, "check", str(data / "data.yaml"), "--family", "yolov5", "--geometry", "square", "--no-cache", "--quiet")
    share = (*check, "--max-share", "obj=99%")  # a bound on the loss: torch is loaded and the loss computed
    plain = (sys.executable, "-c", SCRIPT, str(HERE), str(data))
    codes = (0, 1)  # findings are no failure here
    bare, loss, theirs = in_turn((partial(run, check, codes), partial(run, share, codes), partial(run, plain)), min(place.rounds, 3))
    rows = (("check of a set", bare, check, 28, 200), ("check of a set, with its loss", loss, share, 14, 450))
    for what, ours, command, times, most in rows:
        memory = peak_memory(command, codes)
        yield Row(what, ours, "a script of plain parts", theirs, Goal("times", times), memory)
        yield Row(f"memory of the {what}", memory, goal=Goal("most", most), unit="MB")
