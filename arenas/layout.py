"""The shape of arrays over blocks. NumPy is imported on first use."""

from __future__ import annotations

import functools
import math
import operator
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from .errors import InvalidRequestError

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    import numpy.typing as npt

Order = Literal["C", "F"]
Shape = SupportsIndex | tuple[SupportsIndex, ...]


@functools.cache
def numpy() -> ModuleType:
    """The module, or an ``ImportError`` that says how to get it."""
    try:
        import numpy as np  # noqa: PLC0415 - an extra, imported by those who use it
    except ImportError as error:
        raise ImportError("arrays need NumPy: pip install 'arenas[numpy]'") from error
    return np


class Layout:
    """Shape, dtype and order of an array to come, and how many bytes it needs."""

    def __init__(self, shape: Shape, dtype: npt.DTypeLike, order: Order = "C") -> None:
        """Raises ``InvalidRequestError`` for a negative dimension, ``TypeError`` for a dtype that holds objects."""
        self.dtype = numpy().dtype(dtype)
        if self.dtype.hasobject:
            raise TypeError(f"{self.dtype} holds references to objects; such an array must own its memory")
        self.shape = tuple(map(operator.index, shape if isinstance(shape, (tuple, list)) else (shape,)))
        if min(self.shape, default=0) < 0:
            raise InvalidRequestError(f"negative dimension in shape {self.shape}")
        self.order: Order = order
        self.size_bytes = math.prod(self.shape) * self.dtype.itemsize

    def over(self, view: memoryview) -> np.ndarray[Any, Any]:
        """An array over the view's memory."""
        array: np.ndarray[Any, Any] = numpy().ndarray(self.shape, self.dtype, buffer=view, order=self.order)
        return array
