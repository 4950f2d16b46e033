"""Nothing in assignment or loss names a device: proven on a device that does not exist, by torch's fake tensors."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from detloss_cli.families import yolov3_spp, yolov5
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Targets

FAMILIES = [pytest.param(yolov5, "7.0", id="yolov5"), pytest.param(yolov3_spp, "archive", id="yolov3-spp")]
ELSEWHERE = "meta"


def fake_mode() -> FakeTensorMode:
    """Shapes may depend on data, so a Python branch on a row count raises; mixing devices raises."""
    shapes = ShapeEnv(allow_dynamic_output_shape_ops=True, allow_scalar_outputs=True)
    return FakeTensorMode(shape_env=shapes, allow_non_fake_inputs=True)


class Devices(TorchDispatchMode):
    """The device of every tensor that is made, by operation."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[str, str]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        self.made.extend((str(func), leaf.device.type) for leaf in tree_iter(out) if isinstance(leaf, torch.Tensor))
        return out


def run(family, profile: str, head, device: str, constant: bool) -> torch.Tensor:
    count = 6
    targets = Targets(
        torch.zeros(count, dtype=torch.int64, device=device),
        torch.zeros(count, dtype=torch.int64, device=device),
        torch.full((count, 4), 0.3, device=device),
        2,
    )
    shapes = [(2, 3, level.rows, level.cols, 5 + head.num_classes) for level in head.levels]
    if constant:
        predictions = ConstantHead([torch.zeros((3, shape[-1]), device=device) for shape in shapes], head.levels, 2)
    else:
        predictions = DensePredictions([torch.zeros(shape, device=device) for shape in shapes])
    assignment = family.assign(head, family.Hyp(), targets, profile=profile)
    return family.loss(head, family.Hyp(), targets, predictions, assignment, profile=profile).total


@pytest.mark.parametrize("constant", [False, True], ids=["dense", "constant"])
@pytest.mark.parametrize(("family", "profile"), FAMILIES)
def test_everything_stays_on_the_device_of_the_inputs(family, profile, constant, head) -> None:
    with fake_mode():
        assert run(family, profile, head, ELSEWHERE, constant).device.type == ELSEWHERE


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
def test_no_tensor_is_made_elsewhere(family, profile, head) -> None:
    with fake_mode(), Devices() as seen:
        run(family, profile, head, ELSEWHERE, constant=False)
    strays = {op for op, device in seen.made if device != ELSEWHERE}
    assert len(seen.made) > 100
    assert not strays, f"made on another device by {sorted(strays)}"


def test_a_tensor_left_on_the_cpu_raises(monkeypatch: pytest.MonkeyPatch, head) -> None:
    import detloss_cli.losses.grid_terms as module

    original = module.grids_of
    monkeypatch.setattr(module, "grids_of", lambda levels, like: original(levels, torch.zeros(1)))
    with fake_mode(), pytest.raises(RuntimeError, match="device"):
        run(yolov5, "7.0", head, ELSEWHERE, constant=False)


def test_a_branch_on_a_row_count_raises(monkeypatch: pytest.MonkeyPatch, head) -> None:
    import detloss_cli.losses.grid_terms as module

    original = module.winners
    monkeypatch.setattr(module, "winners", lambda keys, *rest: original(keys, *rest) if keys.shape[0] > 3 else keys > 0)
    with fake_mode(), pytest.raises(Exception, match=r"[Dd]ata-dependent|guard"):
        run(yolov5, "7.0", head, ELSEWHERE, constant=False)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("family", "profile"), FAMILIES)
def test_cuda_gives_the_numbers_of_the_cpu(family, profile, head) -> None:
    torch.testing.assert_close(
        run(family, profile, head, "cuda", constant=False).cpu(), run(family, profile, head, "cpu", constant=False), rtol=1e-4, atol=1e-5
    )
