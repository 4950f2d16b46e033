"""Manual pages: of every rule, from its own docstring, of what can stop a run, and of the words in our tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detloss_cli.checks.registry import RULES

# Findings of a run that never got to its data.
STOPS: dict[str, tuple[str, str]] = {
    "DET001": (
        "bad-argument",
        """The command line has a word that detloss does not know.

Exit code 2. `detloss COMMAND --help` lists what there is.""",
    ),
    "DET002": (
        "cannot-run",
        """An option has a value that cannot be used, or a path on the command line cannot be opened.

Exit code 2; nothing was computed.""",
    ),
    "DET003": (
        "stopped",
        """A limit, memory or time, ended the run before everything was read.

Exit code 4: what was read may be incomplete.""",
    ),
    "DET004": (
        "bug",
        """detloss itself failed.

Exit code 3. Please report the line with the command; DETLOSS_TRACEBACK=1 shows the traceback.""",
    ),
}
TOPICS: dict[str, str] = {
    "level-weight": """What one positive of a level weighs.

The box and class terms of many families are means over the positives of a level, and the levels are then added. A level with ten
positives adds as much as one with ten thousand, so each of its positives weighs a thousand times more. The column `one weighs` is the
level's weighted loss over its positives, relative to the first level.

Families that add all levels up before they divide (yolov8, RetinaNet, FCOS, YOLOX, keras-yolo3) weigh each positive by its own error
alone: there the column says how large that is on a level, and what its empty cells add.

Nothing is wrong with it; but few boxes of the sizes of a level then shape the training as much as many of another. `--by level` and
`--by box` show which.""",
    "marks": """The heads that a real loss lies between.

step 0     a fresh head, as the trainer initialises its biases: what the first iteration costs.
base rate  the best constant logits of each level: what a model reaches that knows only frequencies. Learning begins below it.
perfect    each slot answers with the target that wins it: the floor that data, anchors and collisions allow.""",
    "gains": """From the hyp file to the number that the loss multiplies with.

Trainers scale the gains before they use them: by 3 / levels, by classes / 80, by the area of the input. The ledger shows each factor with
who applies it. `--raw-gains` leaves out what the trainer does.""",
    "unassigned": """A box without a positive.

No slot of the head is assigned to it at any level: it trains nothing, and its pixels count as background. `inspect targets` lists each
with the reason in numbers. Boxes that have rows but win no slot are counted apart.""",
    "batch-factor": """What the trainer multiplies the loss with before backward.

yolov5 and its kin multiply the sum of all terms by the batch size. The table shows the terms as the trainer prints them, and the
product beside.""",
}


@dataclass(frozen=True, slots=True)
class Page:
    """code: empty for a topic. severity: `topic` for one."""

    code: str
    name: str
    severity: str
    text: str

    @property
    def summary(self) -> str:
        return self.text.split("\n", 1)[0]

    def plain(self) -> dict[str, Any]:
        """As values of the JSON."""
        title = f"{self.code} {self.name} ({self.severity})".strip()
        return {"code": self.code or None, "name": self.name, "severity": self.severity, "text": f"{title}\n\n{self.text}"}


def pages() -> list[Page]:
    """Stops, rules by code, topics by name."""
    stops = [Page(code, name, "error", text) for code, (name, text) in STOPS.items()]
    rules = [Page(code, rule.name, rule.severity, rule.manual) for code, rule in sorted(RULES.items())]
    return [*stops, *rules, *(Page("", name, "topic", text) for name, text in sorted(TOPICS.items()))]
