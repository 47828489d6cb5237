"""Every way known to keep a block's memory in sight: each entry gets a view and gives a reader of what it still sees.

The view itself is gone when a way returns, unless the way keeps it.
"""

from __future__ import annotations

import ctypes
import functools
import pickle
import re
import struct
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[], object]
    Way = Callable[[memoryview], Reader]


def _of(keep: Callable[[memoryview], Any]) -> Way:
    """A way that keeps something with a buffer."""

    def way(view: memoryview) -> Reader:
        kept = keep(view)
        return lambda: bytes(memoryview(kept).cast("B") if memoryview(kept).contiguous else memoryview(kept).tolist())

    return way


def _once(iterator: Callable[[memoryview], Any]) -> Way:
    """A way that keeps an iterator, which has yet to look at anything; its reader can be called once."""

    def way(view: memoryview) -> Reader:
        kept = iterator(view)
        return lambda: list(kept)

    return way


def _generator(view: memoryview) -> Reader:
    def look(seen: memoryview) -> Any:
        while True:
            yield bytes(seen)

    generator = look(view[5:])
    next(generator)
    return lambda: next(generator)


def _closure(view: memoryview) -> Reader:
    part = view[7:]
    return lambda: bytes(part)


def _default(view: memoryview) -> Reader:
    return lambda seen=view[3:]: bytes(seen)  # type: ignore[misc]


def _traceback(view: memoryview) -> Reader:
    def fail(local: memoryview) -> None:
        raise LookupError(len(local))

    with pytest.raises(LookupError) as caught:
        fail(view[9:])
    kept = caught.tb.tb_next
    assert kept is not None
    return lambda: bytes(kept.tb_frame.f_locals["local"])


def _released(keep: Callable[[memoryview], Any]) -> Way:
    """The user releases the view handed out, while what was made from it lives on."""

    def way(view: memoryview) -> Reader:
        kept = keep(view)
        view.release()
        return lambda: bytes(kept)

    return way


def _out_of_band(view: memoryview) -> Reader:
    buffers: list[pickle.PickleBuffer] = []
    pickle.dumps(pickle.PickleBuffer(view), protocol=5, buffer_callback=buffers.append)
    return lambda: bytes(buffers[0])


def _cycle(view: memoryview) -> Reader:
    ring: list[Any] = [view[1:]]
    ring.append(ring)
    return lambda: bytes(ring[1][0])


def _structures(view: memoryview) -> Reader:
    class Pair(ctypes.Structure):
        _fields_ = (("first", ctypes.c_uint32), ("second", ctypes.c_uint64))

    pair = Pair.from_buffer(view, 16)
    return lambda: (pair.first, pair.second)


def _pointer(view: memoryview) -> Reader:
    array = (ctypes.c_ubyte * len(view)).from_buffer(view)
    pointer = ctypes.cast(array, ctypes.POINTER(ctypes.c_ubyte))
    size = len(view)
    del array
    return lambda: bytes(pointer[:size])


PLAIN: dict[str, Way] = {
    "the view": _of(lambda v: v),
    "slice": _of(lambda v: v[100:]),
    "slice of a slice": _of(lambda v: v[100:][5:-7]),
    "slice with a step": _of(lambda v: v[::3]),
    "slice backwards": _of(lambda v: v[::-1]),
    "cast": _of(lambda v: v.cast("Q")),
    "cast to two dimensions": _of(lambda v: v.cast("B", (len(v) // 8, 8))),
    "toreadonly": _of(lambda v: v.toreadonly()),
    "memoryview": _of(memoryview),
    "memoryview of a slice": _of(lambda v: memoryview(memoryview(v[10:])[10:])),
    "obj": _of(lambda v: v.obj),
    "memoryview of obj": _of(lambda v: memoryview(v.obj)),
    "slice of obj": _of(lambda v: memoryview(v.obj)[50:]),
    "cast of obj": _of(lambda v: memoryview(v.obj).cast("B").cast("I")),
    "obj of a slice": _of(lambda v: v[5:].obj),
    "PickleBuffer": _of(pickle.PickleBuffer),
    "raw of a PickleBuffer": _of(lambda v: pickle.PickleBuffer(v[3:]).raw()),
    "pickled out of band": _out_of_band,
    "ctypes from_buffer": _of(lambda v: (ctypes.c_ubyte * len(v)).from_buffer(v)),
    "ctypes from_buffer at an offset": _of(lambda v: (ctypes.c_uint16 * 20).from_buffer(v, 40)),
    "memoryview of ctypes": _of(lambda v: memoryview((ctypes.c_ubyte * 64).from_buffer(v))[4:]),
    "ctypes structure": _structures,
    "ctypes pointer": _pointer,
    "bound method": lambda v: v[2:].tobytes,
    "partial": lambda v: functools.partial(bytes, v[2:]),
    "match": lambda v: re.compile(rb"(?s).*").match(v).group,  # type: ignore[union-attr]
    "iterator": _once(iter),
    "struct iterator": _once(lambda v: struct.iter_unpack("<I", v)),
    "generator": _generator,
    "closure": _closure,
    "default argument": _default,
    "traceback": _traceback,
    "reference cycle": _cycle,
    "slice of a released view": _released(lambda v: v[20:]),
    "memoryview of a released view": _released(memoryview),
    "cast of a released view": _released(lambda v: v.cast("I")),
    "obj of a released view": _released(lambda v: v.obj),
}


def _array(keep: Callable[[Any, memoryview], Any]) -> Way:
    """A way that keeps something of NumPy's."""

    def way(view: memoryview) -> Reader:
        import numpy as np

        kept = keep(np, view)
        return lambda: np.asarray(kept).tobytes()

    return way


def _pickled_array(np: Any, view: memoryview) -> Any:
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(np.frombuffer(view, "u1"), protocol=5, buffer_callback=buffers.append)
    return pickle.loads(pickled, buffers=[view])


def _released_array(view: memoryview) -> Reader:
    import numpy as np

    array = np.ndarray((len(view),), "u1", buffer=view)
    view.release()  # succeeds: the array keeps a reference, but no export
    return array.tobytes


class _Interface:
    """What exports an array by ``__array_interface__``."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.__array_interface__ = array.__array_interface__


ARRAYS: dict[str, Way] = {
    "np.frombuffer": _array(lambda np, v: np.frombuffer(v, "u1")),
    "np.frombuffer at an offset": _array(lambda np, v: np.frombuffer(v, "u4", 10, 40)),
    "np.asarray": _array(lambda np, v: np.asarray(v)),
    "np.ndarray": _array(lambda np, v: np.ndarray((len(v),), "u1", buffer=v)),
    "np.ndarray with strides": _array(lambda np, v: np.ndarray((10,), "u1", buffer=v, offset=3, strides=(7,))),
    "np.ndarray of a slice": _array(lambda np, v: np.ndarray((50,), "u1", buffer=v[30:])),
    "np.ndarray of obj": _array(lambda np, v: np.ndarray((50,), "u1", buffer=v.obj)),
    "np.ndarray of the base": _array(
        lambda np, v: np.ndarray((50,), "u1", buffer=np.ndarray((len(v),), "u1", buffer=v).base)
    ),
    "array slice": _array(lambda np, v: np.frombuffer(v, "u1")[10:]),
    "array reshaped": _array(lambda np, v: np.frombuffer(v, "u1").reshape(-1, 8).T),
    "array of another dtype": _array(lambda np, v: np.frombuffer(v, "u1").view("u8")),
    "array with strides": _array(lambda np, v: np.lib.stride_tricks.as_strided(np.asarray(v), (9,), (5,))),
    "base of an array": _of(lambda v: _numpy().asarray(v)[3:].base),
    "base of np.frombuffer": _of(lambda v: _numpy().frombuffer(v, "u1").base),
    "base of np.ndarray": _of(lambda v: _numpy().ndarray((len(v),), "u1", buffer=v).base),
    "memoryview of the base": _of(lambda v: memoryview(_numpy().frombuffer(v, "u1").base)[4:]),
    "memoryview of the base of np.ndarray": _of(lambda v: memoryview(_numpy().ndarray(9, "u1", buffer=v).base)),
    "memoryview of an array": _of(lambda v: memoryview(_numpy().frombuffer(v, "u1")[8:])),
    "data of an array": _of(lambda v: _numpy().frombuffer(v, "u1").data),
    "array interface": _array(lambda np, v: np.asarray(_Interface(np.frombuffer(v, "u1")))),
    "DLPack": _array(lambda np, v: np.from_dlpack(np.frombuffer(v, "u1"))),
    "array unpickled": _array(_pickled_array),
    "element view": _array(lambda np, v: np.frombuffer(v, "u1")[5:6]),
    "record field": _array(lambda np, v: np.frombuffer(v, [("a", "u4"), ("b", "u4")])["b"]),
    "flat iterator": _array(lambda np, v: np.frombuffer(v, "u1").flat),
    "broadcast": _array(lambda np, v: np.broadcast_to(np.frombuffer(v, "u1")[:8], (4, 8))),
    "array of a released view": _released_array,
}


def _numpy() -> Any:
    import numpy as np

    return np
