"""The reference pages say what the program says. DETLOSS_REWRITE=1 writes them anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from detloss_cli.checks.registry import RULES
from detloss_cli.cli import main as entry
from detloss_cli.cli.app import build
from detloss_cli.cli.spelling import command_names
from detloss_cli.report.manual import STOPS, pages

DOCS = Path(__file__).resolve().parents[2] / "docs"
REWRITE = os.environ.get("DETLOSS_REWRITE") == "1"
STAGES = {
    "0": "Runs that stop before their data",
    "1": "Rows of label files",
    "2": "Files, pairs, splits and loaders",
    "3": "data.yaml, hyp and model",
    "4": "Targets and anchors",
    "5": "Head outputs and losses",
    "6": "Bounds and baselines",
    "7": "Training runs",
}


def findings_page() -> str:
    """Every finding by its stage, the text of each from its own docstring."""
    known = [page for page in pages() if page.code]
    lines = [
        "# Findings",
        "",
        "Made from the rules themselves; `detloss explain CODE` prints the same. `--select` and `--ignore` take codes,",
    ]
    lines += ["beginnings of codes (`DET4`) and names. A code is never used again for something else.", ""]
    for stage, title in STAGES.items():
        own = [page for page in known if page.code[3] == stage]
        lines += [f"## {title}", ""]
        for page in own:
            lines += [f"### {page.code} {page.name}", "", f"*{page.severity}* · {escaped(page.text)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """What a docstring says, as Markdown shows it; its code spans stay."""
    parts = text.split("`")
    return "`".join(
        part if number % 2 else part.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_") for number, part in enumerate(parts)
    )


def command_lines(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each command with the words that lead to it, groups before what they hold."""
    yield path
    for name in command_names(command):  # type: ignore[arg-type]
        yield from command_lines(command.commands[name], (*path, name))  # type: ignore[attr-defined]


def commands_page(capsys: pytest.CaptureFixture[str]) -> str:
    """The help of every command as a terminal of 80 columns shows it."""
    lines = ["# Commands", "", "What `--help` prints, command by command.", ""]
    for path in command_lines(get_command(build())):
        capsys.readouterr()
        assert entry.run([*path, "--help"]) == 0
        shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        lines += [f"## {' '.join(('detloss', *path))}", "", "```text", *"\n".join(shown).strip("\n").split("\n"), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def held(name: str, text: str) -> None:
    path = DOCS / name
    if REWRITE:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "DETLOSS_REWRITE=1 writes the page anew"


def test_findings_page_is_what_the_rules_say() -> None:
    held("findings.md", findings_page())


def test_commands_page_is_what_help_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1", "TERM": "dumb", "LANG": "C.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    held("commands.md", commands_page(capsys))


def test_every_finding_has_a_stage_and_a_page() -> None:
    text = findings_page()
    for code in [*STOPS, *RULES]:
        assert text.count(f"### {code} ") == 1, code


@pytest.mark.parametrize("page", [page for page in pages() if page.code], ids=lambda page: page.code)
def test_a_page_begins_with_a_sentence(page) -> None:  # type: ignore[no-untyped-def]
    assert page.summary.endswith(".")
    assert len(page.summary) <= 140
    assert len(page.text) > 40, f"{page.code} says no more than its name"


@pytest.mark.parametrize("word", [word for page in pages() for word in (page.code, page.code.lower(), page.name) if word])
def test_explain_prints_the_page_of_each_word(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = next(page for page in pages() if word.lower() in {page.code.lower(), page.name})
    assert entry.run(["explain", word]) == 0
    shown = capsys.readouterr().out
    assert [line.strip() for line in page.text.splitlines()] == [line.strip() for line in shown.splitlines()[2:]]
