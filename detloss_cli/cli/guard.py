"""Errors as one line on stderr, and on stdout as one object where JSON or SARIF was asked for."""

from __future__ import annotations

import contextlib
import errno
import os
import traceback

from typer._click.exceptions import BadParameter, ClickException, MissingParameter, NoSuchOption
from typer.exceptions import Abort
from typer.main import get_command

from detloss_cli.cli.app import build
from detloss_cli.cli.say import say
from detloss_cli.cli.spelling import command_names, known_options
from detloss_cli.errors import BUG, INCOMPLETE, INTERRUPTED, OK, USAGE, DetlossError, DetlossErrors
from detloss_cli.finding import Finding, Where
from detloss_cli.inputs.nearest import nearest

TRACEBACK = "DETLOSS_TRACEBACK"
COMPLETE = "_DETLOSS_COMPLETE"  # set where a shell asks how a line could go on
WHOLE = ("json", "sarif")  # formats whose readers want an object even where there is nothing to report


def guarded(arguments: list[str]) -> int:
    """Runs the app. 1 only ever means findings, whatever typer would end with."""
    try:
        return _ran(arguments)
    except DetlossError as error:
        return _stopped(arguments, error, "DET002" if error.code == USAGE else "DET003")
    except ClickException as error:
        return _stopped(arguments, _worded(error), "DET001")
    except Abort as error:
        # typer makes one of any EOFError; one that a prompt ran into it raises without a cause
        return _bug(arguments, error.__cause__) if isinstance(error.__cause__, EOFError) else INTERRUPTED
    except MemoryError:
        return _stopped(arguments, DetlossError("out of memory", hint="a smaller --batch-size needs less", code=INCOMPLETE), "DET003")
    except OSError as error:
        if error.errno == errno.EPIPE:
            return OK
        return _bug(arguments, error)
    except Exception as error:
        return _bug(arguments, error)


def _ran(arguments: list[str]) -> int:
    command = get_command(build(None if COMPLETE in os.environ else arguments))
    try:
        code = command.main(arguments or ["--help"], prog_name="detloss", standalone_mode=False)
    except SystemExit as end:  # typer ends so when nobody reads its help
        code = OK if end.code == 1 else end.code
    return code if isinstance(code, int) else OK


def _worded(error: ClickException) -> DetlossError:
    """What typer noticed, in our words: the option or argument, what is wrong, what to do."""
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx is not None else "detloss"
    help_line = f"{path} --help lists what there is"
    if isinstance(error, NoSuchOption):
        near = nearest(error.option_name, known_options(ctx.command) if ctx is not None else ())
        return DetlossError(f"no such option {error.option_name}", hint=f"did you mean {near}?" if near else help_line)
    text = " ".join(error.format_message().split()).rstrip(".")
    if text.startswith("No such command"):
        word = text.split("'")[1] if "'" in text else ""
        near = nearest(word, command_names(ctx.command) if ctx is not None else ())
        whole = f"{path} {word}".removeprefix("detloss ")
        return DetlossError(f"no such command: {whole}", hint=f"did you mean {near}?" if near else help_line)
    if isinstance(error, BadParameter) and error.param is not None and not isinstance(error, MissingParameter):
        words = error.message.partition(",")[0].removeprefix("Input ").rstrip(".")
        return DetlossError(words[:1].lower() + words[1:], where=error.param.opts[0], hint=help_line)
    return DetlossError(text[:1].lower() + text[1:], hint=help_line)


def _stopped(arguments: list[str], error: DetlossError, code: str) -> int:
    rule = {"DET001": "bad-argument", "DET002": "cannot-run", "DET003": "stopped", "DET004": "bug"}[code]
    every = error.errors if isinstance(error, DetlossErrors) else (error,)
    for each in every:
        say(str(each))
    format = asked_whole(arguments)
    if format is not None:
        if error.rule is not None:
            from detloss_cli.checks.registry import BY_NAME

            code, rule = BY_NAME[error.rule].code, error.rule
        with contextlib.suppress(DetlossError):  # where stdout is what is broken, stderr has said so
            _print_whole(format, [_finding(each, code, rule) for each in every], error.code)
    return error.code


def _finding(error: DetlossError, code: str, rule: str) -> Finding:
    """What it is about stands under `path` if it is one, else in the message."""
    if error.where is None or error.where.startswith("-") or error.where.isupper():
        message = f"{error.where}: {error.message}" if error.where else error.message
        return Finding(code, rule, "error", message, None, error.hint)
    return Finding(code, rule, "error", error.message, Where(error.where), error.hint)


def _bug(arguments: list[str], error: BaseException) -> int:
    """One line: what broke and where, and how to report it."""
    if os.environ.get(TRACEBACK):
        traceback.print_exc()
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if "detloss_cli" in step.filename] or list(steps)
    place = f" at {_module(own[-1].filename)}:{own[-1].lineno}" if own else ""
    text = " ".join(str(error).split())[:200]
    message = f"a bug in detloss: {type(error).__name__}: {text}{place}"
    hint = f"please report this line with the command; {TRACEBACK}=1 shows the traceback"
    return _stopped(arguments, DetlossError(message, hint=hint, code=BUG), "DET004")


def _module(path: str) -> str:
    _, found, tail = path.replace(os.sep, "/").rpartition("detloss_cli/")
    return found + tail if found else os.path.basename(path)


def asked_whole(arguments: list[str]) -> str | None:
    """The one of `WHOLE` that the command line asks for, even one that cannot be parsed."""
    pairs = list(zip(arguments, [*arguments[1:], ""], strict=True))
    for format in WHOLE:
        if any(word in {f"--format={format}", f"format={format}"} or (word == "--format" and value == format) for word, value in pairs):
            return format
    return None


def _print_whole(format: str, findings: list[Finding], exit_code: int) -> None:
    from detloss_cli.cli.emit import put
    from detloss_cli.report import formats
    from detloss_cli.report.look import Look
    from detloss_cli.report.report import build

    put(formats.load(format).render(build(None, None, findings, exit_code=exit_code), Look()))
