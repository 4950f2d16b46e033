"""Which reader a file of head outputs belongs to: its first bytes decide, not its name."""

from __future__ import annotations

from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.predictions.head_file import HeadFile
from detloss_cli.predictions.npz import read_npz
from detloss_cli.predictions.refusal import UNREADABLE, first_bytes, holds_code, refusal, unreadable, zip_members
from detloss_cli.predictions.safetensors_file import read_safetensors
from detloss_cli.predictions.tensor_file import read_tensor_file

PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def open_heads(path: str, most: int = DEFAULT.preds_bytes) -> HeadFile:
    """A file of head outputs, opened; its tensors are read when they are asked for.

    Args:
        most: bytes that may be held in memory.

    Raises:
        DetlossError: it cannot be opened, is none of the formats, is damaged, or would run code.
    """
    start, size = first_bytes(path, 16)
    if start.startswith(b"PK\x03\x04"):
        names = [member.filename for member in zip_members(path)]
        if any(name.rsplit("/", 1)[-1] == "data.pkl" for name in names):
            return read_tensor_file(path, most)
        return read_npz(path, most)
    if len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size:
        return read_safetensors(path)
    if start.startswith(PICKLES):
        raise holds_code(path, "a bare pickle")
    if start.startswith(b"\x93NUMPY"):
        raise refusal(UNREADABLE, path, "is a single array", "one array a level: numpy.savez(path, p3=..., p4=..., p5=...)")
    if not size:
        raise unreadable(path, "it is empty")
    raise refusal(UNREADABLE, path, "is no .npz, .safetensors or torch.save file", "numpy.savez(path, p3=..., p4=..., p5=...) writes one")
