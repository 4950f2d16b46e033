"""Every format gives the same tensors; everything else is refused, and nothing of it is run."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from detloss_cli.errors import DetlossError
from detloss_cli.predictions.open_file import open_heads
from detloss_cli.predictions.refusal import CODE, TOO_BIG, UNREADABLE
from detloss_cli.predictions.tensor_file import check_torch

MARKER = "DETLOSS_TEST_MARKER"


class Touch:
    """A pickle that leaves a trace when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, (os.environ[MARKER],)


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "it-ran"
    monkeypatch.setenv(MARKER, str(path))
    return path


def heads() -> dict[str, np.ndarray]:
    return {f"p{k}": np.random.default_rng(k).normal(size=(2, 3, 64 >> k, 64 >> k, 7)).astype(np.float32) for k in (3, 4, 5)}


def write(path: Path, kind: str, arrays: dict[str, np.ndarray]) -> str:
    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    if kind == "npz":
        np.savez(path, **arrays)
    elif kind == "compressed npz":
        np.savez_compressed(path, **arrays)
    elif kind == "safetensors":
        save_file(tensors, path)
    elif kind == "torch":
        torch.save(tensors, path)
    elif kind == "list":
        torch.save(list(tensors.values()), path)
    elif kind == "big endian npz":
        np.savez(path, **{name: array.astype(">f4") for name, array in arrays.items()})
    else:
        np.savez(path, **{name: np.asfortranarray(array) for name, array in arrays.items()})
    return str(path if path.exists() else path.with_suffix(path.suffix + ".npz"))


def refused(path: str | Path) -> DetlossError:
    with pytest.raises(DetlossError) as caught:
        open_heads(str(path))
    assert caught.value.code == 2
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("kind", ["npz", "compressed npz", "safetensors", "torch", "list", "big endian npz", "fortran npz"])
def test_formats_give_the_same_numbers(tmp_path: Path, kind: str) -> None:
    file = open_heads(write(tmp_path / "heads.npz", kind, heads()))
    names = ["0", "1", "2"] if kind == "list" else ["p3", "p4", "p5"]
    assert list(file.tensors) == names
    assert file.in_order == (kind == "list")
    for name, array in zip(names, heads().values(), strict=True):
        np.testing.assert_array_equal(file.tensors[name].numpy(), array)


def test_half_precision_and_empty_axes(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", p3=np.zeros((0, 3, 8, 8, 7), np.float16), p4=np.ones((1, 3, 4, 4, 7), np.float16))
    file = open_heads(str(tmp_path / "a.npz"))
    assert file.tensors["p3"].shape == (0, 3, 8, 8, 7)
    assert file.tensors["p4"].dtype == torch.float16


def test_object_arrays_are_refused(tmp_path: Path, marker: Path) -> None:
    np.savez(tmp_path / "a.npz", p3=np.array([Touch()], dtype=object))
    assert refused(tmp_path / "a.npz").rule == CODE
    assert not marker.exists()


@pytest.mark.parametrize("protocol", [2, 4])
def test_checkpoints_with_code_are_refused(tmp_path: Path, marker: Path, protocol: int) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"model": Touch()}, protocol=protocol))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    error = refused(tmp_path / "model.pt")
    assert error.rule == CODE
    assert "mkdir" in error.message
    assert "detloss_tap.py dump" in str(error.hint)
    assert not marker.exists()


def test_bare_pickles_are_refused(tmp_path: Path, marker: Path) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Touch()))
    assert refused(tmp_path / "a.pt").rule == CODE
    assert not marker.exists()


def test_modules_are_refused_with_a_way_out(tmp_path: Path) -> None:
    torch.save(torch.nn.Conv2d(1, 1, 1), tmp_path / "a.pt")
    error = refused(tmp_path / "a.pt")
    assert error.rule == CODE
    assert "torch.nn.modules.conv.Conv2d" in error.message
    assert "weights_only" not in str(error)


def test_what_is_no_tensor_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "p3": torch.zeros(1)}, tmp_path / "a.pt")
    assert "epoch is a int" in refused(tmp_path / "a.pt").message


@pytest.mark.parametrize("kind", ["npz", "compressed npz", "safetensors", "torch"])
@pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.99])
def test_files_cut_short_are_refused(tmp_path: Path, kind: str, keep: float) -> None:
    path = Path(write(tmp_path / "heads.npz", kind, heads()))
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * keep)])
    assert refused(path).rule == UNREADABLE


def test_sizes_are_added_up_before_anything_is_read(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 30,)})
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("p3.npy", "w", force_zip64=True) as file,
    ):
        file.write(header.getvalue())
        for _ in range(256):
            file.write(bytes(1 << 24))
    assert refused(tmp_path / "a.npz").rule == TOO_BIG


def test_a_header_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("p3.npy", header.getvalue() + bytes(64))
    assert refused(tmp_path / "a.npz").rule == UNREADABLE


def test_a_compressed_torch_file_is_refused(tmp_path: Path) -> None:
    torch.save({"p3": torch.zeros(4)}, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert refused(tmp_path / "a.pt").rule == UNREADABLE


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    assert refused(tmp_path / "a.npz").rule == UNREADABLE
    assert refused(tmp_path / "nothing.npz").rule == UNREADABLE
    assert refused(tmp_path).rule == UNREADABLE


def test_single_arrays_and_text_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    assert "numpy.savez" in str(refused(tmp_path / "a.npy").hint)
    (tmp_path / "a.txt").write_text("0 .5 .5 .1 .1\n" * 10)
    assert refused(tmp_path / "a.txt").rule == UNREADABLE


def test_an_old_torch_reads_no_pickles() -> None:
    check_torch("a.pt", "2.10.0+cpu")
    check_torch("a.pt", "3.0.1")
    with pytest.raises(DetlossError, match=r"torch 2\.10 or later"):
        check_torch("a.pt", "2.9.1")
