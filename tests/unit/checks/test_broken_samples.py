"""Each folder below sample_data/broken trips the rule that it is named after, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.checks.labels import label_findings
from detloss_cli.checks.registry import BY_NAME
from detloss_cli.checks.rule import Rule
from detloss_cli.diagnose.labels import inspect_labels
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import read_dataset
from detloss_cli.resolve import Request

BROKEN = Path(__file__).parents[3] / "sample_data" / "broken"
NAMES = sorted(
    path.name
    for path in BROKEN.iterdir()
    if path.name in BY_NAME and BY_NAME[path.name].code[:4] in ("DET1", "DET2") and not (path / "command").exists()
)
# What cannot be without saying another thing as well.
ALSO = {"mixed-rows": {"polygon-row"}, "point-outside": {"polygon-row"}}
# Rules that need a large file, a special file or a race: the tests of the reader make those.
ELSEWHERE = {
    "not-a-file", "unreadable-file", "unreadable-folder", "changed-during-scan", "label-too-big", "too-many-rows", "too-many-files",
    "folder-too-deep", "symlink-loop", "symlink-folder", "symlink", "dangling-link", "leaves-root", "list-too-big", "image-size-unlisted",
    "annotation-converted",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_exactly_this_rule(name: str) -> None:
    if (BROKEN / name / "a").is_dir():  # two data sets that do not go together
        _, found = inspect_labels(Request("inspect labels", data=(str(BROKEN / name / "a"), str(BROKEN / name / "b"))))
        assert {finding.rule for finding in found} == {name}
        return
    coco = BROKEN / name / "instances.json"
    spec, faults = read_data(str(coco if coco.exists() else BROKEN / name))
    assert faults == ()
    dataset = read_dataset(spec, tuple(spec.splits), "strict", num_classes=None, sizes=name.startswith("image-"))
    assert {finding.rule for finding in label_findings(dataset)} == {name} | ALSO.get(name, set())


def test_every_rule_has_its_sample() -> None:
    own = {rule.name for rule in BY_NAME.values() if rule.code[:4] in ("DET1", "DET2")}
    fates = {rule.name for rule in BY_NAME.values() if rule.name.startswith("loader-")}
    assert own - fates - ELSEWHERE - set(NAMES) == set()


@pytest.mark.parametrize("rule", BY_NAME.values(), ids=lambda rule: rule.name)
def test_a_manual_page_says_more_than_its_first_line(rule: Rule) -> None:
    assert rule.summary.endswith(".")
    assert len(rule.manual) > len(rule.summary) + 40
