"""Strides of the levels of a model YAML: followed through its layers, or by the number of levels."""

from __future__ import annotations

from detloss_cli.inputs.yaml_node import Node

# modules that halve the grid whatever their arguments; others do by a stride in third place: channels, kernel, stride
HALVE = frozenset({"Focus", "ReOrg", "MP", "DownC", "ADown", "AConv"})
WITH_STRIDE = frozenset({"Conv", "GhostConv", "DWConv", "SCDown", "RepConv", "LightConv", "CBS", "RobustConv", "RobustConv2", "HGStem"})


def strides_of_layers(layers: tuple[Node, ...]) -> tuple[int, ...]:
    """The stride of each input of the last layer, () if the layers cannot be followed.

    A layer is [from, repeats, module, arguments]; `from` is relative if negative, else the index of a layer.
    """
    strides: list[float] = []
    for layer in layers:
        parts = layer.items
        if len(parts) < 3:
            return ()
        sources = _sources(parts[0], len(strides))
        if not sources or any(not -1 <= source < len(strides) for source in sources):
            return ()
        inputs = [strides[source] if source >= 0 else 1.0 for source in sources]
        if layer is layers[-1]:
            whole = all(stride >= 1 and stride == int(stride) for stride in inputs)
            return tuple(int(stride) for stride in inputs) if whole else ()
        strides.append(inputs[0] * _factor(parts[2].text, parts[3].items if len(parts) > 3 else ()))
    return ()


def strides_of_name(name: str, levels: int) -> tuple[int, ...]:
    """The strides that heads of so many levels have: from P3 up; P2 and tiny heads by their name."""
    if levels == 2 and "tiny" in name:
        return (16, 32)
    first = 2 if "p2" in name else 3
    return tuple(1 << (first + i) for i in range(levels))


def _sources(node: Node, index: int) -> list[int]:
    """Indices of the layers that a layer takes, -1 for the picture; [] if it says none."""
    values = [item.value for item in (node.items if node.kind == "sequence" else (node,))]
    numbers = [value for value in values if type(value) is int]
    return [index + value if value < 0 else value for value in numbers] if len(numbers) == len(values) else []


def _factor(module: str, arguments: tuple[Node, ...]) -> float:
    values = [argument.value for argument in arguments]
    if module.endswith("Upsample"):
        scale = values[1] if len(values) > 1 else 2
        return 1 / scale if isinstance(scale, int | float) and scale > 0 else 0.5
    if module in HALVE:
        return 2.0
    place = 1 if "MaxPool" in module else 2
    stride = values[place] if (module in WITH_STRIDE or "MaxPool" in module) and len(values) > place else 1
    return float(stride) if type(stride) is int and 1 <= stride <= 8 else 1.0
