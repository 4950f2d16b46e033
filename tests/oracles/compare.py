"""How a number is held to a recorded one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

TOLERANCE = {"f32": 1e-4, "f64": 1e-6}
DTYPE = {"f32": torch.float32, "f64": torch.float64}


def close(got: Tensor | float | list[float], wanted: Any, dtype: str, what: str, scale: float = 0.0) -> None:
    """Fail unless got equals wanted within the run's relative tolerance, `scale` being the size below which a value counts as noise."""
    a = torch.as_tensor(got, dtype=torch.float64).detach()
    b = torch.as_tensor(_numbers(wanted), dtype=torch.float64)
    if a.shape != b.shape:
        a, b = a.reshape(-1), b.reshape(-1)
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(
        a, b, rtol=tolerance, atol=tolerance * max(scale, 1e-3), equal_nan=True, msg=lambda m: f"{what} {dtype}: {m}"
    )


def equal(got: Tensor, wanted: Tensor, what: str) -> None:
    """Fail unless the integers are the same, row by row, in order."""
    torch.testing.assert_close(got.long(), wanted.long(), rtol=0, atol=0, msg=lambda m: f"{what}: {m}")


def _numbers(value: Any) -> Any:
    """The strings 'inf', '-inf' and 'nan' that JSON needs, as floats."""
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    return float(value) if isinstance(value, str) else value
