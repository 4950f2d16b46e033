"""One recorded case: its settings, its inputs (stored, or drawn again from the recipe) and its expected numbers."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

CARRIED = Path(__file__).parent / "cases"


def find_cases(root: Path) -> list[Path]:
    """Every .json below a folder, at any depth, that has a .safetensors beside it."""
    return sorted(p for p in root.rglob("*.json") if p.with_suffix(".safetensors").exists())


@dataclass(frozen=True)
class Case:
    """A case as it lies on disk."""

    path: Path

    @cached_property
    def meta(self) -> dict[str, Any]:
        return json.loads(self.path.read_text())

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        return load_file(self.path.with_suffix(".safetensors"))

    @property
    def settings(self) -> dict[str, Any]:
        return self.meta["settings"]

    @property
    def ref(self) -> Any:
        return self.meta["source"]["ref"]

    def expected(self, dtype: str) -> dict[str, Any]:
        """The recorded numbers of one run. dtype: f32 or f64."""
        found = self.meta["expected"]
        return found[dtype] if dtype in found else found[{"f32": "float32", "f64": "float64"}[dtype]]

    def out(self, dtype: str, name: str) -> Tensor | None:
        """A recorded output; the float32 one stands for both where both runs agreed on it."""
        for key in (f"out.{dtype}.{name}", f"out.f32.{name}", f"out.{name}"):
            if key in self.tensors:
                return self.tensors[key]
        return None

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        """Every input as it was recorded, checked against its hash."""
        drawn = self._drawn()
        found = {}
        for name, info in self.meta["inputs"].items():
            tensor = self.tensors[f"in.{name}"] if info.get("stored") else drawn[name]
            digest = hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()
            if digest != info["sha256"]:
                raise ValueError(f"{self.path.name}: input {name} does not have the recorded hash")
            found[name] = tensor
        return found

    def _drawn(self) -> dict[str, Tensor]:
        """Inputs that have a recipe, all drawn in order from one generator, stored ones included."""
        drawn: dict[str, Tensor] = {}
        generators: dict[str, Any] = {}
        for name, info in self.meta["inputs"].items():
            recipe = info.get("recipe")
            seeded = re.search(r"(?:manual_seed|PCG64|Generator)\((\d+)\)", recipe or "")
            if not recipe or not seeded:
                continue
            seed = int(seeded[1])
            own = re.search(rf"\b{name.split('.')[-1]}\b[^(]*\(\*([\d.]+)", recipe)  # a scale of its own: `hm (*4.0+0.0), reg (*1.0)`
            spread = float((own or re.search(r"-1\)\*(-?[\d.]+)", recipe))[1])
            shift = re.search(r"-1\)\*-?[\d.]+\s*\+\s*(-?[\d.]+)", recipe)
            if "PCG64" not in recipe:
                source = generators.setdefault(recipe, torch.Generator().manual_seed(seed))
                value = (torch.rand(info["shape"], generator=source) * 2 - 1) * spread
                drawn[name] = value + float(shift[1]) if shift else value
            else:
                source = generators.setdefault(recipe, np.random.Generator(np.random.PCG64(seed)))
                value = (source.integers(0, 65536, size=info["shape"]).astype(np.float32) / 32768 - 1) * spread
                drawn[name] = torch.from_numpy(value.astype(np.float32))
        return drawn
