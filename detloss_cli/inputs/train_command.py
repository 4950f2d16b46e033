"""A train command as it was typed, read word by word. Nothing of it is ever run."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.nearest import nearest
from detloss_cli.inputs.run_folder import read_settings
from detloss_cli.inputs.run_paths import Places, find_path
from detloss_cli.inputs.train_words import LAUNCHER, MODES, RELEASE_OF, SWITCHES, TABLES, TASKS, ULTRALYTICS, Arity
from detloss_cli.inputs.training import SOURCE, Said, Training, interpret

BATCH = 16  # what every trainer takes unless told otherwise
WHERE = "TRAIN COMMAND"
PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?|py(\.exe)?")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
BEFORE = {"env": 1, "nohup": 1, "time": 1, "exec": 1, "uv": 2, "poetry": 2, "pipenv": 2, "pdm": 2}  # words that stand before a command
INTERPRETER = {"-u": 1, "-B": 1, "-O": 1, "-s": 1, "-E": 1, "-I": 1, "-W": 2, "-X": 2}
LAUNCHERS = {"torch.distributed.run", "torch.distributed.launch", "torchrun"}
SHELL = re.compile(r"[;&|<>()]+")
WINDOWS = re.compile(r"\.exe\b|(?<![\w/])[A-Za-z]:\\")
VARIABLE = re.compile(r"\$([A-Za-z_{(@*#?0-9]|$)|`")


@dataclass(slots=True)
class Script:
    """What stands before the options. processes: of a launcher. beside: folder of the script."""

    name: str
    path: str
    words: list[str]
    processes: int = 1
    beside: str = ""
    said: dict[str, Said] = field(default_factory=dict)


def read_command(words: Sequence[str], *, root: str | None = None, limits: Limits = DEFAULT) -> Training:
    """What a training was told.

    Args:
        words: of the command, or one text that holds it all. root: `--root`, for data that is elsewhere.

    Raises:
        DetlossError: no command of a trainer, or a word in it that the trainer does not know.
    """
    script = _script(_split(words))
    if script.name == "yolo":
        training = Training(SOURCE, "ultralytics")
        said = _ultralytics(script.words)
        training.put("family", "yolov8", SOURCE)
        places = Places(".", root)
        said = {**_settings(training, said, places, limits), **said}
    else:
        training = Training(SOURCE, _which(script))
        said = _argparse(script.words, TABLES[training.trainer], f"{training.trainer}'s train.py")
        places = Places(".", root, script.beside)
        _release(training, script, said)
    if said.get("resume", Said(False, "")).value not in (False, None, ""):
        raise _unknown("resume", "takes everything from the run that goes on", "detloss check --run DIR")
    _shared(said, script.processes, training.trainer)
    interpret(training, said, places)
    return training


def _split(words: Sequence[str]) -> list[str]:
    """Words as the shell gives them; a text that was quoted whole is split as the shell would."""
    found = list(words)
    if len(found) == 1 and re.search(r"\s", found[0].strip()):
        lexer = shlex.shlex(found[0].replace("\\\n", " ").strip().removeprefix("!"), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        if WINDOWS.search(found[0]):  # there a backslash is part of a path
            lexer.escape = ""
        lexer.commenters = ""
        try:
            found = list(lexer)
        except ValueError as error:
            raise DetlossError(f"a quote is not closed: {str(error).lower()}", where=WHERE, hint="close it") from error
        for word in found:
            if VARIABLE.search(word):
                raise _unknown(word, "is for the shell to fill in", "write its value")
            if SHELL.fullmatch(word):
                raise _unknown(word, "joins commands", "give one command, without the shell around it")
    if not found:
        raise DetlossError("no train command", where=WHERE, hint="python train.py --data ..., or yolo detect train data=...")
    return found


def _script(words: list[str]) -> Script:
    """Past the environment, the launcher and the interpreter."""
    rest = _past_environment(list(words))
    processes = 1
    if rest and os.path.basename(rest[0]) == "torchrun":
        processes, rest = _past_launcher(rest[1:])
    elif rest and PYTHON.fullmatch(os.path.basename(rest[0])):
        rest = _past_interpreter(rest[1:])
        if rest[:1] == ["-m"]:
            module = rest[1] if len(rest) > 1 else ""
            if module not in LAUNCHERS:
                raise _unknown(module or "-m", "is no trainer that is known", "python train.py ..., or yolo detect train ...")
            processes, rest = _past_launcher(rest[2:])
    name = os.path.basename(rest[0].replace("\\", "/")) if rest else ""
    if name in ("yolo", "ultralytics"):
        return Script("yolo", rest[0], rest[1:], processes)
    if name not in ("train.py", "train_aux.py"):
        raise _unknown(rest[0] if rest else words[-1], "is no trainer that is known", "python train.py ..., or yolo detect train ...")
    beside = os.path.dirname(rest[0].replace("\\", "/"))
    if os.path.basename(beside) in ("segment", "classify"):
        raise _unknown(rest[0], "trains another loss", "python train.py trains boxes")
    return Script(name, rest[0], rest[1:], processes, beside)


def _past_environment(rest: list[str]) -> list[str]:
    while rest:
        if ASSIGNMENT.fullmatch(rest[0]) and not rest[0].startswith("-"):
            rest = rest[1:]
        elif rest[0] in BEFORE:
            rest = rest[BEFORE[rest[0]] :]
        else:
            break
    return rest


def _past_interpreter(rest: list[str]) -> list[str]:
    while rest and rest[0] in INTERPRETER:
        rest = rest[INTERPRETER[rest[0]] :]
    return rest


def _past_launcher(rest: list[str]) -> tuple[int, list[str]]:
    """Processes on this machine, and the words of what is launched."""
    processes = 1
    while rest and rest[0].startswith("-"):
        name, equals, value = rest[0].lstrip("-").partition("=")
        arity = LAUNCHER.get(name)
        if arity is None:
            raise _unknown(rest[0], "is no option of torchrun", _near(name, LAUNCHER))
        if arity == "1" and not equals:
            value, rest = rest[1] if len(rest) > 1 else "", rest[1:]
        if name.replace("-", "_") == "nproc_per_node":
            processes = max(1, int(value)) if re.fullmatch(r"\d{1,4}", value, re.ASCII) else 1
        rest = rest[1:]
    return processes, rest


def _which(script: Script) -> str:
    """yolov7 by the names that only it has, else yolov5: their train.py are called alike."""
    text = " ".join((script.path, *script.words)).lower()
    return "yolov7" if script.name == "train_aux.py" or "yolov7" in text or "v5-metric" in text or "hyp.scratch.p" in text else "yolov5"


def _release(training: Training, script: Script, said: Mapping[str, Said]) -> None:
    if training.trainer == "yolov7":
        training.put("family", "yolov7", SOURCE)
        training.put("profile", "aux" if script.name == "train_aux.py" else "ota", f"{script.name} of the command")
        return
    training.put("family", "yolov5", SOURCE)
    old = next((name for name in RELEASE_OF if name.replace("-", "_") in said), None)
    if old is not None:
        training.put("profile", RELEASE_OF[old], f"--{old} of the command")


def _argparse(words: Sequence[str], table: Mapping[str, Arity], whose: str) -> dict[str, Said]:
    """Options as argparse reads them: `--a b`, `--a=b`, and the beginning of a name that only one option has."""
    said: dict[str, Said] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise _unknown(word, f"is no option of {whose}", _near(word, table))
        given, equals, value = word[2:].partition("=")
        name = _whole(given, table, whose)
        taken = [value] if equals else []
        arity = table[name]
        most = {"0": 0, "1": 1, "?": 1, "+": 99}[arity]
        while not equals and rest and len(taken) < most and not rest[0].startswith("--"):
            taken.append(rest.pop(0))
        if (equals and arity == "0") or (not taken and arity in "1+"):
            raise _unknown(word, "takes no value" if arity == "0" else "has no value", f"--{name} of {whose}")
        values = [_value(one) for one in taken]
        said[name.replace("-", "_")] = Said(True if not values else values if arity == "+" else values[0], SOURCE)
    for other in ("img", "img_size"):
        if other in said:
            said["imgsz"] = said.pop(other)
    return said


def _whole(given: str, table: Mapping[str, Arity], whose: str) -> str:
    if given in table:
        return given
    begun = [name for name in table if name.startswith(given)] if given else []
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise _unknown(f"--{given}", f"could be {' or '.join(f'--{name}' for name in begun[:3])}", "write it out")
    raise _unknown(f"--{given}", f"is no option of {whose}", _near(given, table))


def _ultralytics(words: Sequence[str]) -> dict[str, Said]:
    """`yolo [TASK] MODE key=value ...`; a bare key switches a setting on."""
    said: dict[str, Said] = {}
    for word in _joined(words):
        name, equals, value = word.removeprefix("--").rstrip(",").partition("=")
        if not equals and word in TASKS:
            name, value = "task", word
        elif not equals and word in MODES:
            name, value = "mode", word
        elif not equals and name in SWITCHES:
            value = "True"
        elif not equals or name not in ULTRALYTICS:
            raise _unknown(word, "is no setting of ultralytics", _near(name, ULTRALYTICS | set(TASKS) | set(MODES)))
        said[name] = Said(_value(value), SOURCE)
    mode = said.pop("mode", Said("train", SOURCE)).value
    if mode != "train":
        raise _unknown(str(mode), "trains nothing", "preflight is for a training")
    task = said.get("task", Said("detect", SOURCE)).value
    if task != "detect":
        raise _unknown(str(task), "trains another loss", "yolo detect train trains boxes")
    return said


def _joined(words: Sequence[str]) -> Iterator[str]:
    """`key = value`, `key= value` and `key =value` as one word, as yolo joins them."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        open_end = word.endswith("=") and word.count("=") == 1 and len(word) > 1
        if rest and (open_end or ("=" not in word and rest[0].startswith("="))):
            word += rest.pop(0)
            if word.endswith("=") and rest:
                word += rest.pop(0)
        yield word


def _settings(training: Training, said: Mapping[str, Said], places: Places, limits: Limits) -> dict[str, Said]:
    """What `cfg=FILE` says below the words of the command."""
    told = said.get("cfg")
    if told is None or not told.value:
        return {}
    found = find_path(str(told.value), places)
    if found is None:
        raise _unknown(f"cfg={told.value}", "is not here", "check the path")
    own, _, faults = read_settings(found, limits)
    training.faults += faults
    training.put("hyp", found, SOURCE)
    return own


def _shared(said: dict[str, Said], processes: int, trainer: str) -> None:
    """Each process has its part of the batch, and its own loss over it. A batch that the trainer would choose is taken to be 16."""
    key = "batch" if trainer == "ultralytics" else "batch_size"
    told = said.get(key) or Said(BATCH, f"{trainer}'s default")
    if type(told.value) is not int or told.value <= 0:
        told = said[key] = Said(BATCH, f"taken for batch {told.value} of the {SOURCE}")
    devices = said.get("device", Said(None, SOURCE)).value
    if trainer == "ultralytics" and isinstance(devices, list):
        processes = max(processes, len(devices))
    if processes > 1 and told.value >= processes:
        said[key] = Said(told.value // processes, f"{told.source}, {told.value} over {processes} processes")


def _value(text: str) -> Any:
    """A word as a number, a truth, a list of numbers, or itself."""
    plain = text.strip()
    if plain in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[plain]
    if re.fullmatch(r"[+-]?\d{1,15}", plain, re.ASCII):
        return int(plain)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", plain, re.ASCII):
        return float(plain)
    if re.fullmatch(r"\[?\s*\d{1,15}(\s*,\s*\d{1,15})*\s*,?\]?", plain, re.ASCII):
        return [int(one) for one in re.findall(r"\d+", plain)]
    return text


def _near(word: str, known: Any) -> str:
    found = nearest(word.lstrip("-"), list(known))
    return f"did you mean {found}?" if found else "leave it out"


def _unknown(word: str, why: str, hint: str) -> DetlossError:
    return DetlossError(f"{word!r} {why}", where=WHERE, hint=hint)
