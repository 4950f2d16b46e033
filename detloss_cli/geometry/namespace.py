"""The functions that go with an array: of numpy for its own, which follow the array standard, else what array-api-compat finds."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace


def namespace(*arrays: Any) -> Any:
    """As `array_namespace`. For numpy alone it is numpy itself: the layer above it costs a tenth of a second, as it imports all that numpy
    has, its Fortran compiler among it.
    """
    return np if all(isinstance(array, np.ndarray | np.generic) for array in arrays) else array_namespace(*arrays)
