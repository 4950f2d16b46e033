"""The sample data through every family and release: one contract of keys, counts that hang together, marks in their order."""

from __future__ import annotations

import contextlib
import io
import json
import math
import shutil
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from detloss_cli.cli import main as entry
from detloss_cli.families import MODULES, load
from detloss_cli.report import json_format

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "sample_data" / "vegetables"
SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())
# the oldest release of each family and the latest; the others differ by numbers that the recorded cases hold
RELEASES = [
    (family, profile)
    for family in MODULES
    for profile in dict.fromkeys((*islice(load(family).PROFILES, 1), *islice(reversed(load(family).PROFILES), 1)))
]
# design.md: keys that are a contract, by object
CONTRACT = {
    "data": "path root splits",
    "settings": "family profile loader model imgsz num_classes names_source geometry batch_size device dtype seed head preds origins",
    "labels": "images labelled background missing skipped rows boxes kept lost classes sizes",
    "assignment": "positives boxes unassigned per_box collisions best_possible_recall anchors_per_target",
    "totals": "total batch_factor batches",
    "marks": "prior base_rate perfect",
    "summary": "errors warnings infos exit_code",
}
ROWS = {
    "levels": "level stride rows cols cells anchors positives boxes_matched matches_per_anchor positives_per_anchor balance "
    "obj_target_mean weight_per_positive",
    "gains": "term steps hyp used",
    "terms": "name level raw gain value share count per_positive",
    "findings": "code rule severity message path line column hint count share",
}


@cache
def computed(family: str, profile: str, data: str) -> dict[str, Any]:
    """The JSON of one run, checked for its exit code."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = entry.run(
            ["compute", data, "--family", family, "--profile", profile, "--device", "cpu", "--format", "json", "--fail-on", "never"]
        )
    assert code == 0
    body: dict[str, Any] = json.loads(out.getvalue())
    return body


def run(family: str, profile: str) -> dict[str, Any]:
    return computed(family, profile, str(DATA / "data.yaml"))


@pytest.mark.parametrize(("family", "profile"), RELEASES)
def test_the_contract_of_keys(family: str, profile: str) -> None:
    body = run(family, profile)
    jsonschema.validate(body, SCHEMA)
    for name, keys in CONTRACT.items():
        assert set(keys.split()) <= set(body[name]), name
    for name, keys in ROWS.items():
        assert all(set(keys.split()) <= set(row) for row in body[name]), name
    assert body["settings"]["family"] == family
    assert body["settings"]["profile"] == profile
    assert ("maps" in body) == (family in ("centernet", "cornernet"))


@pytest.mark.parametrize(("family", "profile"), RELEASES)
def test_counts_hang_together(family: str, profile: str) -> None:
    body = run(family, profile)
    labels, assignment, levels = body["labels"], body["assignment"], body["levels"]
    assert labels["kept"] + labels["lost"]["rows"] == labels["rows"]
    assert sum(labels["lost"]["by_rule"].values()) == labels["lost"]["rows"]
    assert sum(one["boxes"] for one in labels["classes"]) == labels["kept"] == sum(labels["sizes"].values())
    assert assignment["boxes"] == labels["kept"] > 100
    assert assignment["positives"] == sum(level["positives"] for level in levels)
    assert all(sum(level["positives_per_anchor"]) == level["positives"] for level in levels)
    unassigned, histogram = assignment["unassigned"], assignment["per_box"]["histogram"]
    assert sum(unassigned["by_reason"].values()) == unassigned["count"] == sum(unassigned["by_size"].values()) == histogram[0]
    assert sum(histogram) == assignment["boxes"]
    assert sum(number * boxes for number, boxes in enumerate(histogram)) == assignment["positives"]
    collisions = assignment["collisions"]
    assert collisions["rows"] >= collisions["slots"] >= 0


@pytest.mark.parametrize(("family", "profile"), RELEASES)
def test_terms_add_up(family: str, profile: str) -> None:
    body = run(family, profile)
    totals = body["totals"]
    names = {term["name"] for term in body["terms"]}
    assert names == set(load(family).TERMS) | names
    for name in names:
        assert totals[name] == pytest.approx(
            math.fsum(term["value"] for term in body["terms"] if term["name"] == name), rel=1e-9, abs=1e-12
        )
    assert totals["total"] == pytest.approx(math.fsum(totals[name] for name in names), rel=1e-9)
    for term in body["terms"]:
        assert term["value"] == pytest.approx(term["raw"] * term["gain"], rel=1e-6, abs=1e-9)
        if term["per_positive"] is not None:
            assert term["per_positive"] == pytest.approx(term["value"] / term["count"])
    assert math.fsum(term["share"] for term in body["terms"]) == pytest.approx(1)
    assert body["marks"]["prior"] == {key: value for key, value in totals.items() if key not in ("batch_factor", "batches")}
    ledger = {gain["term"] for gain in body["gains"]}
    assert ledger <= set(load(family).TERMS)


@pytest.mark.parametrize("family", ["centernet", "cornernet"])
def test_maps_hang_together(family: str) -> None:
    for profile in (release for one, release in RELEASES if one == family):
        body = run(family, profile)
        for one, level in zip(body["maps"], body["levels"], strict=True):
            heat = next(term for term in body["terms"] if (term["name"], term["level"]) == ("heatmap", one["map"]))
            assert one["positives"] == sum(one["radius_histogram"]) == level["positives"]
            assert heat["count"] == one["centres"] <= one["positives"]
            assert 0 < one["near_weight"] < 1 <= one["near_cells"]


@cache
def without_collisions(family: str, profile: str, folder: Path) -> str:
    """A copy of the sample's training labels without the images in which two boxes meet."""
    target = folder / f"{family}-{profile}".replace(".", "_")
    source = str(DATA / "data.yaml")
    for step in range(8):
        body = computed(family, profile, source)
        meet = {found["path"] for found in body["findings"] if found["rule"] == "slot-collision"}
        meet |= {found["path"] for found in body["findings"] if found["rule"] == "box-without-positive" and "later box" in found["message"]}
        if not meet:
            return source
        old, new = Path(source).parent, target / str(step)
        for part in ("images", "labels"):
            for path in sorted((old / part / "train").iterdir()):
                label = f"labels/train/{path.stem}.txt"
                if label not in meet:
                    (new / part / "train").mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, new / part / "train" / path.name)
        names = (DATA / "data.yaml").read_text()
        (new / "data.yaml").write_text("train: images/train\nval: images/train\n" + names[names.index("names:") :])
        source = str(new / "data.yaml")
    raise AssertionError("collisions do not go away")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("apart")


@pytest.mark.parametrize(("family", "profile"), RELEASES)
def test_without_collisions_no_term_is_better_at_the_start_than_when_perfect(family: str, profile: str, folder: Path) -> None:
    body = computed(family, profile, without_collisions(family, profile, folder))
    assert body["assignment"]["boxes"] > 20
    prior, perfect = body["marks"]["prior"], body["marks"]["perfect"]
    for name in prior:
        assert perfect[name] <= prior[name] + 1e-6, name
    assert perfect["total"] < 0.9 * prior["total"]


@pytest.mark.parametrize(("family", "profile"), RELEASES)
def test_the_base_rate_lies_between(family: str, profile: str) -> None:
    marks = run(family, profile)["marks"]
    assert marks["base_rate"]["total"] <= marks["prior"]["total"] + 1e-9
