"""NumPy arrays in a heap's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex

from .block import ViewHint
from .layout import Layout, numpy
from .pool import Pool
from .record import Held
from .service import Service

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    import numpy as np
    import numpy.typing as npt

    from .layout import Order, Shape

    class Options(TypedDict, total=False):
        """What every array-making method takes by keyword, as :meth:`arenas.Heap.alloc` does; ``order`` is C or F."""

        order: Order
        alignment: int | None
        tag: str | None
        timeout: float | None


class Arrays(Service):
    """The part of a heap that makes arrays: plain ``numpy.ndarray`` objects. Needs the extra ``arenas[numpy]``.

    An array's memory is used again when the last view of it has died. Each method takes ``order``, ``alignment``,
    ``tag`` and ``timeout`` by keyword, and raises as :meth:`arenas.Heap.alloc`; also ``TypeError`` for a dtype that
    holds objects, and ``ImportError`` without NumPy.
    """

    def ndarray(self, shape: Shape, dtype: npt.DTypeLike = float, **options: Unpack[Options]) -> np.ndarray[Any, Any]:
        """An uninitialised array."""
        return self._array(shape, dtype, options, zero=False)

    def zeros(self, shape: Shape, dtype: npt.DTypeLike = float, **options: Unpack[Options]) -> np.ndarray[Any, Any]:
        """An array of zeros; pages that are known to be zero are not touched."""
        return self._array(shape, dtype, options, zero=True)

    def full(
        self, shape: Shape, value: object, dtype: npt.DTypeLike | None = None, **options: Unpack[Options]
    ) -> np.ndarray[Any, Any]:
        """An array filled with ``value``, whose dtype it gets where none is named."""
        array = self.ndarray(shape, numpy().asarray(value).dtype if dtype is None else dtype, **options)
        array[...] = value
        return array

    def array(
        self, source: object, dtype: npt.DTypeLike | None = None, **options: Unpack[Options]
    ) -> np.ndarray[Any, Any]:
        """A copy of ``source``, which may be anything that NumPy makes an array of."""
        given = numpy().asarray(source, dtype)
        array = self.ndarray(given.shape, given.dtype, **options)
        array[...] = given
        return array

    def pool(
        self,
        shape: Shape,
        dtype: npt.DTypeLike,
        count: SupportsIndex,
        *,
        alignment: SupportsIndex | None = None,
        tag: str | None = None,
    ) -> Pool:
        """``count`` equal arrays that are used again and again: see :class:`Pool`. Needs the extra ``arenas[numpy]``.

        Allocates all of them. Raises as :meth:`alloc`; ``InvalidRequestError`` for a ``count`` below 1, ``TypeError``
        for a dtype that holds objects, ``ImportError`` without NumPy. O(count).
        """
        self._begin()
        return Pool(self.whole, shape, dtype, count, alignment=alignment, tag=tag)

    def _array(self, shape: Shape, dtype: npt.DTypeLike, options: Options, *, zero: bool) -> np.ndarray[Any, Any]:
        layout = Layout(shape, dtype, options.pop("order", "C"))
        self._refuse_integers()
        block = self.alloc(layout.size_bytes, zero, **options)  # type: ignore[misc]  # without the order
        array = layout.over(block.view)
        record = block._record
        ViewHint.watch(array, record, self)
        # Last: from here on the array holds the memory, and the handle may go.
        record.held = Held.ARRAY
        return array
