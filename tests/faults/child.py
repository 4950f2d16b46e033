"""Run detloss where something is wrong: in a forked child that has everything imported, or as a command of its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000040000000300802000000ca62a2c90000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
COMMAND = "import sys; from detloss_cli.cli.main import main; sys.argv[0] = 'detloss'; main()"
LIMIT_SECONDS = 50


@dataclass(frozen=True, slots=True)
class Done:
    """code: negative for a signal. out, err: what was printed. seconds: wall."""

    code: int
    out: str
    err: str
    seconds: float


def make_set(root: Path, images: int = 2, text: str = "0 0.5 0.5 0.2 0.2\n", bad: str = "0 1.5 0.5 0.1 0.1\n") -> Path:
    """A set of pictures and labels, the last label with `bad` as its last row; returns the data.yaml."""
    for kind in ("images", "labels"):
        (root / kind / "train").mkdir(parents=True, exist_ok=True)
    for number in range(images):
        (root / "images/train" / f"{number:05d}.png").write_bytes(PNG)
        last = bad if number == images - 1 else ""
        (root / "labels/train" / f"{number:05d}.txt").write_text(text + last)
    data = root / "data.yaml"
    data.write_text("train: images/train\nval: images/train\nnames: [cat, dog]\n")
    return data


def make_old(root: Path) -> None:
    """Waits until the cache takes the files of a set for settled."""
    newest = max(os.lstat(path).st_ctime for path in root.rglob("*"))
    time.sleep(max(0.0, newest + 2.1 - time.time()))


def tree_hash(root: Path) -> str:
    """Names, contents, modes and times of everything below a folder."""
    total = hashlib.blake2b()
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        total.update(f"{path.relative_to(root)} {status.st_mode} {status.st_mtime_ns} {status.st_size}".encode())
        if path.is_file() and not path.is_symlink():
            total.update(path.read_bytes())
    return total.hexdigest()


def fork(work: Callable[[], int]) -> int:
    """Starts a child that ends with what `work` returns; 99 if it raises. Returns its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.alarm(LIMIT_SECONDS)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)


@cache
def warm_up() -> None:
    """What is imported late has to be there before a child loses its rights or its memory."""
    from detloss_cli.cli.main import run

    with tempfile.TemporaryDirectory() as folder:
        data = make_set(Path(folder))
        before = signal.getsignal(signal.SIGTERM)
        for form in ("json", "text"):
            run(["inspect", "labels", str(data), "--format", form, "-o", f"{folder}/report"])
            run(["inspect", "labels", str(data), "--format", form, "-o", f"{folder}/no/report"])
        signal.signal(signal.SIGTERM, before)


def ended(child: int) -> int:
    """Waits; the exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def forked(arguments: Sequence[str], before: Callable[[], None] | None = None, out: int | None = None) -> Done:
    """One command line in a forked child.

    Args:
        before: runs in the child first: limits, another user, broken calls.
        out: a file descriptor to take for stdout.
    """
    from detloss_cli.cli.main import run

    warm_up()
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:

        def work() -> int:
            os.dup2(stdout.fileno() if out is None else out, 1)
            os.dup2(stderr.fileno(), 2)
            sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
            sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
            if before is not None:
                before()
            return run(list(arguments))

        started = time.monotonic()
        code = ended(fork(work))
        seconds = time.monotonic() - started
        stdout.seek(0)
        stderr.seek(0)
        return Done(code, stdout.read().decode(), stderr.read().decode(), seconds)


def command(
    arguments: Sequence[str], env: dict[str, str] | None = None, cwd: Path | None = None, before: Callable[[], None] | None = None,
    prefix: Sequence[str] = (),
) -> Done:  # fmt: skip
    """One command line as a process of its own."""
    started = time.monotonic()
    done = subprocess.run(
        [*prefix, sys.executable, "-c", COMMAND, *arguments],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        preexec_fn=before,
        capture_output=True,
        timeout=LIMIT_SECONDS,
    )
    out, err = done.stdout.decode("utf-8", "backslashreplace"), done.stderr.decode("utf-8", "backslashreplace")
    return Done(done.returncode, out, err, time.monotonic() - started)
