"""The hooks of pre-commit and the action of GitHub, as far as they go without either: their files, and the commands that they run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
CHECK = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "check")
# What pre-commit asks of a hook: https://pre-commit.com/#creating-new-hooks
HOOK = {
    "type": "object",
    "required": ["id", "name", "entry", "language"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "description": {"type": "string"},
        "entry": {"type": "string"},
        "language": {"const": "python"},
        "files": {"type": "string", "format": "regex"},
        "types": {"type": "array", "items": {"enum": ["file", "text"]}},
        "pass_filenames": {"type": "boolean"},
        "require_serial": {"type": "boolean"},
    },
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a data set, and `detloss` on the path."""
    shutil.copytree(ROOT / "sample_data" / "vegetables", tmp_path / "set")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "detloss"
    program.write_text(f"#!{sys.executable}\nfrom detloss_cli.cli.main import main\nmain()\n")
    program.chmod(0o755)
    return tmp_path


def run(repository: Path, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{repository / 'bin'}{os.pathsep}{os.environ['PATH']}"
    base = {key: value for key, value in os.environ.items() if not key.startswith("DETLOSS_")}
    env = {**base, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(repository), **environment}
    return subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True)


def hook(repository: Path, name: str, files: list[str]) -> subprocess.CompletedProcess[str]:
    """As pre-commit would: its entry, then the files that its pattern lets through."""
    wanted = [file for file in files if re.search(HOOKS[name]["files"], file)]
    passed = wanted if HOOKS[name].get("pass_filenames", True) else []
    return run(repository, [*shlex.split(HOOKS[name]["entry"]), *passed])


def spoiled(repository: Path) -> str:
    label = sorted((repository / "set" / "labels" / "train").iterdir())[0]
    label.write_text("0 .5 .5 .1\n" + label.read_text())
    return label.relative_to(repository).as_posix()


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_all_that_pre_commit_asks(name: str) -> None:
    jsonschema.validate(HOOKS[name], HOOK)
    re.compile(HOOKS[name]["files"])


def test_the_hook_looks_at_the_labels_of_a_commit(repository: Path) -> None:
    (repository / "detloss.yaml").write_text("data: set/data.yaml\n")
    clean = [file.relative_to(repository).as_posix() for file in sorted((repository / "set" / "labels" / "val").iterdir())]
    done = hook(repository, "detloss-labels", ["README.md", *clean])
    assert done.returncode == 0, done.stdout + done.stderr
    bad = spoiled(repository)
    assert hook(repository, "detloss-labels", clean).returncode == 0
    done = hook(repository, "detloss-labels", [*clean, bad])
    assert done.returncode == 1
    assert f"{bad.removeprefix('set/')}:1:9" in done.stdout


def test_the_hook_of_the_whole_set_needs_its_name_in_the_configuration(repository: Path) -> None:
    assert hook(repository, "detloss", []).returncode == 2
    (repository / "detloss.yaml").write_text("data: set/data.yaml\nmax-collisions: 1000\n")
    assert hook(repository, "detloss", []).returncode == 0
    spoiled(repository)
    assert hook(repository, "detloss", []).returncode == 1


def action(repository: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str, str]:
    """The step of the action that checks, with the inputs as a runner gives them: log, outputs, summary."""
    given = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    environment = {}
    for key, value in CHECK["env"].items():
        name = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value)
        assert name is not None
        environment[key] = given[name[1]]
    outputs, summary = repository / "outputs", repository / "summary"
    outputs.write_text("")
    summary.write_text("")
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", CHECK["run"]]
    done = run(repository, command, GITHUB_OUTPUT=str(outputs), GITHUB_STEP_SUMMARY=str(summary), **environment)
    return done, outputs.read_text(), summary.read_text()


def test_the_action_has_what_a_composite_one_needs() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"])
    assert all("description" in each for each in ACTION["inputs"].values())
    assert not [step for step in ACTION["runs"]["steps"] if "${{" in step["run"]]  # an input in a script would be run as one


def test_the_action_passes_a_clean_set(repository: Path) -> None:
    done, outputs, summary = action(repository, data="set/data.yaml", sarif="out.sarif")
    assert (done.returncode, outputs) == (0, "exit-code=0\n"), done.stdout + done.stderr
    assert summary.startswith("### detloss check\n\n**0 errors")
    assert "::warning file=set/labels/" in done.stdout
    assert json.loads((repository / "out.sarif").read_text())["version"] == "2.1.0"


def test_the_action_fails_over_a_fault_and_says_where(repository: Path) -> None:
    bad = spoiled(repository)
    done, outputs, summary = action(repository, data="set/data.yaml", summary="false", args="--ignore=DET402\n--max-collisions=1\n")
    assert (done.returncode, outputs, summary) == (1, "exit-code=1\n", "")
    assert f"::error file={bad},line=1,col=9,title=DET120 column-count::" in done.stdout
    assert "too-many-collisions" in done.stdout


def test_the_action_takes_a_baseline(repository: Path) -> None:
    spoiled(repository)
    run(repository, ["detloss", "check", "set/data.yaml", "--write-baseline", "base.json"])
    done, outputs, _ = action(repository, data="set/data.yaml", baseline="base.json", annotations="false")
    assert (done.returncode, outputs) == (0, "exit-code=0\n"), done.stdout + done.stderr


def test_inputs_of_the_action_are_no_commands(repository: Path) -> None:
    done, outputs, _ = action(repository, data="$(touch owned) `touch owned`; touch owned", args="; touch owned\n")
    assert (done.returncode, outputs) == (2, "exit-code=2\n")
    assert not (repository / "owned").exists()


def test_the_guide_shows_a_configuration_that_holds(tmp_path: Path) -> None:
    from detloss_cli.inputs.config import OPTIONS, read_config
    from detloss_cli.inputs.thresholds import KINDS

    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL)
    (tmp_path / "detloss.yaml").write_text(blocks[0])
    settled = read_config(str(tmp_path / "detloss.yaml")).options
    assert settled["max-share"] == ["obj=60%", "P3=70%"]
    assert set(settled) <= OPTIONS | set(KINDS)
    assert {hook["id"] for hook in yaml.safe_load(blocks[1])["repos"][0]["hooks"]} == set(HOOKS)
    step = next(step for step in yaml.safe_load(blocks[2])["steps"] if "with" in step)
    assert set(step["with"]) <= set(ACTION["inputs"])
