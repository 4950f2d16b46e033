"""Copy recorded cases into the project, without the inputs that their recipe draws again.

    python tests/oracles/carry.py SOURCE [FAMILY ...]

SOURCE holds one folder a family. The copies lie below `cases/` beside this file; a copied case has the same numbers, an input that it no
longer stores is drawn from its recipe and checked against its recorded hash.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from case import Case
from safetensors.torch import save_file

CASES = Path(__file__).parent / "cases"


def carry(source: Path, target: Path) -> int:
    """Copy one case.

    Returns:
        How many bytes the copy takes.
    """
    case = Case(source)
    meta, tensors = json.loads(source.read_text()), dict(case.tensors)
    drawn = case._drawn()
    for name, info in meta["inputs"].items():
        if info.get("stored") and name in drawn and drawn[name].equal(tensors[f"in.{name}"]):
            del tensors[f"in.{name}"]
            info["stored"] = False
    meta.pop("file_sha256", None)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(meta, indent=1) + "\n")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, target.with_suffix(".safetensors"))
    Case(target).inputs  # noqa: B018  reads every input, and raises where one lost its hash
    return target.stat().st_size + target.with_suffix(".safetensors").stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("source", type=Path)
    parser.add_argument("family", nargs="*")
    asked = parser.parse_args()
    for folder in sorted(path for path in asked.source.iterdir() if path.is_dir()):
        if not asked.family or folder.name in asked.family:
            sizes = [carry(path, CASES / folder.name / path.name) for path in sorted(folder.glob("*.json"))]
            print(f"{folder.name}: {len(sizes)} cases, {sum(sizes) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
