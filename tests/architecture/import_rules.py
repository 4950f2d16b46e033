"""What the shape of the package forbids, read from the syntax tree. Every rule yields the offences of one module, as text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "detloss_cli"
ROOT = Path(__file__).resolve().parents[2] / PACKAGE
# A module imports only from what stands to the right of its own place; those joined by | do not import one another.
ORDER = (
    "api → cli → report → diagnose → engine → scene → reading → anchor_choice | rect_choice → measure | resolve → said_keys"
    " → checks | families → facts → losses → targets → predictions → geometry → inputs → finding → errors"
)
RANK = {part: rank for rank, layer in enumerate(ORDER.split(" → ")) for part in layer.split(" | ")}

TORCH_FREE = {"inputs", "checks", "report", "finding", "errors"}
MATHS = {"families", "facts", "targets", "losses", "predictions", "geometry"}
EMPTY_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
LONGEST_FILE = 300
LONGER = {"predictions.detloss_tap": 450}  # stands alone when it is copied, so nothing can move out
MUTATORS = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "clear", "remove", "discard"}


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its dotted name inside the package, its folder or name at the top, its text and its tree."""

    name: str
    part: str
    text: str
    tree: ast.Module


def parse(name: str, text: str) -> Module:
    return Module(name, name.split(".")[0], text, ast.parse(text))


def modules() -> list[Module]:
    """Every module of the package but its own `__init__`, which speaks for the whole."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("__init__",):
            found.append(parse(".".join(p for p in parts if p != "__init__"), path.read_text(encoding="utf-8")))
    return found


def imported(module: Module) -> Iterator[tuple[str, int]]:
    """Absolute names of what a module imports, anywhere in it, with the line."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module or ''}.{alias.name}", node.lineno) for alias in node.names)


def layer_order(module: Module) -> Iterator[str]:
    if module.part not in RANK:
        yield f"{module.name}: has no place in the order {ORDER}"
        return
    for target, line in imported(module):
        _, _, inner = target.partition(f"{PACKAGE}.")
        part = inner.split(".")[0]
        if target.startswith(f"{PACKAGE}.") and part in RANK and part != module.part and RANK[part] <= RANK[module.part]:
            yield f"{module.name}:{line}: imports {target}, which does not stand below {module.part}"


def relative_imports(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{module.name}:{node.lineno}: relative import"


def families_apart(module: Module) -> Iterator[str]:
    """A module with an ID is a detector; another one may not lean on it."""
    if module.part == "families" and names_a_detector(module):
        for target, line in imported(module):
            inner = target.removeprefix(f"{PACKAGE}.families.").split(".")[0]
            path = ROOT / "families" / f"{inner}.py"
            if (
                target.startswith(f"{PACKAGE}.families.")
                and path.exists()
                and names_a_detector(parse("families", path.read_text(encoding="utf-8")))
            ):
                yield f"{module.name}:{line}: imports the family {inner}"


def names_a_detector(module: Module) -> bool:
    return any(name == "ID" for node in module.tree.body for name in bound_names(node))


def bound_names(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def torch_where_none_is_needed(module: Module) -> Iterator[str]:
    if module.part in TORCH_FREE:
        yield from (f"{module.name}:{line}: imports torch" for target, line in imported(module) if target.split(".")[0] == "torch")


def torch_at_import_of_cli(module: Module) -> Iterator[str]:
    if module.part == "cli":
        top = parse(module.name, "")
        top.tree.body = [node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        yield from (f"{module.name}:{line}: imports torch at the top" for target, line in imported(top) if target.split(".")[0] == "torch")


def prints(module: Module) -> Iterator[str]:
    if module.part != "cli":
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield f"{module.name}:{node.lineno}: print outside cli"


def asserts(module: Module) -> Iterator[str]:
    yield from (f"{module.name}:{node.lineno}: assert" for node in ast.walk(module.tree) if isinstance(node, ast.Assert))


def empty_names(module: Module) -> Iterator[str]:
    if EMPTY_NAMES & set(module.name.split(".")):
        yield f"{module.name}: a name that says nothing"


def too_long(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LONGER.get(module.name, LONGEST_FILE):
        yield f"{module.name}: {lines} lines, does one idea want to move out?"


def device_in_the_maths(module: Module) -> Iterator[str]:
    if module.part not in MATHS:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split(":")[0] in {"cpu", "cuda"}:
            yield f"{module.name}:{node.lineno}: the device {node.value!r}"
        if isinstance(node, ast.Attribute) and node.attr in {"is_cuda", "cuda"}:
            yield f"{module.name}:{node.lineno}: .{node.attr}"


def acts_at_import(module: Module) -> Iterator[str]:
    """A statement at the top that calls for its effect, or that writes into something another module owns."""
    if module.part == "cli":
        return
    for node in module.tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield f"{module.name}:{node.lineno}: calls something at import"
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Delete)):
            targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
            if any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets):
                yield f"{module.name}:{node.lineno}: writes into something at import"
        if isinstance(node, (ast.For, ast.While, ast.With)):
            yield f"{module.name}:{node.lineno}: a loop or a with block at import"


def module_state(module: Module) -> Iterator[str]:
    """A function that changes what belongs to the module: the next call would see it."""
    owned = {name for node in module.tree.body for name in bound_names(node)}
    for function in ast.walk(module.tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            local = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            local |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
            for node in ast.walk(function):
                if isinstance(node, ast.Global):
                    yield f"{module.name}:{node.lineno}: global {', '.join(node.names)}"
                name = changed_name(node)
                if name in owned - local:
                    yield f"{module.name}:{getattr(node, 'lineno', 0)}: changes {name} of the module"


def changed_name(node: ast.AST) -> str | None:
    """X of `X[...] = `, `del X[...]`, `X.attribute = ` and `X.append(...)`."""
    if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del)) and isinstance(node.value, ast.Name):
        return node.value.id
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.attr in MUTATORS
    ):
        return node.func.value.id
    return None


RULES = (
    layer_order,
    relative_imports,
    families_apart,
    torch_where_none_is_needed,
    torch_at_import_of_cli,
    prints,
    asserts,
    empty_names,
    too_long,
    device_in_the_maths,
    acts_at_import,
    module_state,
)
