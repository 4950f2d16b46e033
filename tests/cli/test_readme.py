"""Every command that the README and the guides show is run, and prints what stands below it.

DETLOSS_REWRITE=1 writes what is printed now into the pages.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from detloss_cli import errors
from detloss_cli.families import MODULES, load

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```console\n(?P<body>\$ detloss.*?)^```$", re.MULTILINE | re.DOTALL)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DOTS = "...\n"
REWRITE = os.environ.get("DETLOSS_REWRITE") == "1"


@dataclass(frozen=True, slots=True)
class Example:
    """One command of a page, and the text that the page shows below it. start, end: of that text in the page."""

    page: Path
    command: str
    shown: str
    start: int
    end: int


def examples(page: Path) -> list[Example]:
    found = []
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        prompts = list(re.finditer(r"^\$ (.*)\n", block["body"], re.MULTILINE))
        ends = [prompt.start() for prompt in prompts[1:]] + [len(block["body"])]
        base = block.start("body")
        for prompt, end in zip(prompts, ends, strict=True):
            found.append(Example(page, prompt[1], block["body"][prompt.end() : end], base + prompt.end(), base + end))
    return found


def run_on_a_terminal(command: str) -> str:
    """What a user sees: stdout is a terminal of 80 columns, stderr follows it, and a code other than 0 stands last."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        "PATH": path,
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE
    )
    os.close(theirs)
    chunks = []
    while chunk := read_terminal(ours):
        chunks.append(chunk)
    os.close(ours)
    _, errors = process.communicate()
    text = ESCAPE.sub("", (b"".join(chunks) + errors).decode().replace("\r\n", "\n"))
    text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    return text + (f"[exit {process.returncode}]\n" if process.returncode else "")


def read_terminal(descriptor: int) -> bytes:
    """The next bytes of a terminal, none at its end: Linux says so with an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def fits(shown: str, printed: str) -> bool:
    """True if the page shows what is printed; a line `...` stands for any number of lines."""
    parts = re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)
    return re.fullmatch("(?:.*\n)*".join(re.escape(part) for part in parts), printed) is not None


def abridged(shown: str, printed: str) -> str:
    """What is printed, with the lines left out that the page leaves out, as far as its place among the others can be told."""
    before, now = shown.splitlines(keepends=True), printed.splitlines(keepends=True)
    kept: list[str] = []
    for kind, old, old_end, new, new_end in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        gone = before[old:old_end]
        if kind == "equal" or DOTS not in gone:
            kept += now[new:new_end]
            continue
        above, below = gone.index(DOTS), gone[::-1].index(DOTS)
        whole = now[new:new_end]
        kept += [*whole[:above], DOTS, *whole[max(above, len(whole) - below) :]]
    return "".join(kept)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_shows_what_is_printed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for example in reversed(examples(page)):
        printed = run_on_a_terminal(example.command)
        if REWRITE and not fits(example.shown, printed):
            short = abridged(example.shown, printed)
            text = text[: example.start] + (short if fits(short, printed) else printed) + text[example.end :]
        elif not REWRITE:
            assert fits(example.shown, printed), f"DETLOSS_REWRITE=1 would write\n$ {example.command}\n{printed}"
    if REWRITE:
        page.write_text(text, encoding="utf-8")


def test_readme_begins_with_the_main_job() -> None:
    first = examples(README)[0]
    before = README.read_text(encoding="utf-8")[: first.start].splitlines()
    assert first.command.startswith("detloss compute sample_data/vegetables/data.yaml")
    assert before == ["# detloss", "", "```console", f"$ {first.command}"]


def table(heading: str) -> re.Match[str]:
    """The rows, without the head, of the table below a heading of the README."""
    found = re.search(
        rf"^## {heading}\n(?:(?!## )[^|].*\n|\n)*\|.*\n\|[-|]+\n(?P<rows>(?:\|.*\n)+)", README.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found is not None
    return found


def test_readme_lists_every_family() -> None:
    rows = "".join(f"| `{family}` | {load(family).TITLE} |\n" for family in MODULES)
    found = table("Families")
    if REWRITE:
        README.write_text(found.string[: found.start("rows")] + rows + found.string[found.end("rows") :], encoding="utf-8")
    else:
        assert found["rows"] == rows


def test_readme_names_every_exit_code() -> None:
    codes = [errors.OK, errors.FINDINGS, errors.USAGE, errors.BUG, errors.INCOMPLETE, errors.INTERRUPTED, errors.TERMINATED]
    shown = re.findall(r"^\| ([0-9, ]+) \|", table("Exit codes")["rows"], re.MULTILINE)
    assert ", ".join(shown) == ", ".join(map(str, codes))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name == "README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize(
    ("shown", "printed", "fit"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\nd\n", "a\nb\ncd\n", False),
        ("", "a\n", False),
    ],
)
def test_dots_stand_for_lines(shown: str, printed: str, fit: bool) -> None:
    assert fits(shown, printed) is fit


@pytest.mark.parametrize(
    ("shown", "printed", "kept"),
    [
        ("a\n...\nd\ne\n", "a\nb\nc\nd\nE\n", "a\n...\nd\nE\n"),
        ("a\n...\nd\n", "A\nb\nc\nd\n", "A\n...\nd\n"),
        ("a\n...\n", "a\nb\nc\n", "a\n...\n"),
        ("a\nd\n", "a\nb\nd\n", "a\nb\nd\n"),
    ],
)
def test_what_a_page_leaves_out_stays_out(shown: str, printed: str, kept: str) -> None:
    assert abridged(shown, printed) == kept
    assert fits(kept, printed)


def test_examples_are_found_with_their_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# x\n\n```console\n$ detloss a\nout\n$ detloss b\n```\n\n```console\n$ ls\nno\n```\n")
    found = examples(page)
    assert [(example.command, example.shown) for example in found] == [("detloss a", "out\n"), ("detloss b", "")]
    assert page.read_text()[found[0].start : found[0].end] == "out\n"


def test_a_terminal_is_what_the_command_sees() -> None:
    assert run_on_a_terminal("test -t 1 && echo $COLUMNS; echo oops >&2; exit 3") == "80\noops\n[exit 3]\n"
