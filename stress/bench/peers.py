"""What a user would pick instead: each peer allocates and frees 4 KiB in the quickest way it has.

A peer is a statement and the names in it. What is not installed says so by ``UnavailableError``.
"""

from __future__ import annotations

import ctypes
import importlib
import mmap
import multiprocessing.heap
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any, Final

import arenas

from ..errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from .loops import Names

SIZE: Final = 4096
"""Bytes of a small block, here and wherever one size will do."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to get 4 KiB and give them back."""

    name: str
    code: str
    provide: Callable[[], AbstractContextManager[Names]]


def need(module: str) -> Any:  # noqa: ANN401 - a module that may have no types
    """Import something optional.

    Raises:
        UnavailableError: it is not installed.

    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UnavailableError("not installed") from None


@contextmanager
def heap() -> Iterator[Names]:
    """A heap, as anybody makes it."""
    with arenas.Heap() as opened:
        yield {"alloc": opened.alloc}


@contextmanager
def local() -> Iterator[Names]:
    """A heap through the façade for hot loops."""
    with arenas.Heap() as opened:
        yield {"alloc": opened.local().alloc}


@contextmanager
def _shared_heap() -> Iterator[Names]:
    opened = multiprocessing.heap.Heap()
    yield {"malloc": opened.malloc, "free": opened.free}


@contextmanager
def _libc() -> Iterator[Names]:
    library = ctypes.CDLL(None)
    malloc, free = library.malloc, library.free
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    free.argtypes, free.restype = [ctypes.c_void_p], None
    yield {"malloc": malloc, "free": free}


@contextmanager
def _numpy() -> Iterator[Names]:
    numpy = need("numpy")
    yield {"empty": numpy.empty, "uint8": numpy.uint8}


@contextmanager
def _bytearray() -> Iterator[Names]:
    yield {"bytearray": bytearray}


@contextmanager
def _mmap() -> Iterator[Names]:
    yield {"mmap": mmap.mmap, "flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}


@contextmanager
def _shared_memory() -> Iterator[Names]:
    yield {"SharedMemory": SharedMemory}


@contextmanager
def _pyarrow() -> Iterator[Names]:
    yield {"allocate_buffer": need("pyarrow").allocate_buffer}


@contextmanager
def _torch() -> Iterator[Names]:
    torch = need("torch")
    yield {"empty": torch.empty, "uint8": torch.uint8}


HEAP: Final = Peer("heap", f"alloc({SIZE}).free()", heap)
LOCAL: Final = Peer("heap.local()", HEAP.code, local)
SHARED_HEAP: Final = Peer("multiprocessing.heap", f"free(malloc({SIZE}))", _shared_heap)
LIBC: Final = Peer("ctypes malloc", f"free(malloc({SIZE}))", _libc)
NUMPY: Final = Peer("np.empty", f"empty({SIZE}, uint8)", _numpy)
OTHERS: Final = (
    Peer("bytearray", f"bytearray({SIZE})", _bytearray),
    Peer("mmap", f"mmap(-1, {SIZE}, flags).close()", _mmap),
    Peer("SharedMemory", f"s = SharedMemory(create=True, size={SIZE}); s.close(); s.unlink()", _shared_memory),
    Peer("pyarrow", f"allocate_buffer({SIZE})", _pyarrow),
    Peer("torch", f"empty({SIZE}, dtype=uint8)", _torch),
)
"""Those for which no target is set."""
