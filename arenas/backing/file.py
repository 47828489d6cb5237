"""Memory that is a file: what blocks hold persists."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from pathlib import Path

from .. import system
from ..errors import InvalidRequestError
from .exclusive import Exclusive
from .memory import MappedMemory

_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR}


class FileMemory:
    """One range of a file, shared with it: bytes written into blocks are in the file, also after the process is gone.

    A missing or empty file is created ``size_bytes`` long, its disk space allocated (so that a full disk is an error
    here and not a ``SIGBUS`` later). An existing file must be at least that long; ``size_bytes=None`` takes all of
    it. A file opened again starts with nothing allocated, its bytes as they were: :meth:`arenas.Heap.adopt` marks
    what is in use.

    Because the pages are shared, a heap over a file is closed in a forked child. One heap at a time; callable from
    any thread. Raises ``InvalidRequestError`` for a file that is too small or cannot be written, ``OSError`` for what
    else the system refuses.
    """

    page_bytes = system.PAGE_BYTES
    growable = False
    has_memory = True
    fresh_is_zero = False
    fork_private = False
    alignment = 64
    # MADV_DONTNEED frees nothing of a shared mapping; MADV_REMOVE punches a hole into the file, and a hole reads as
    # zeros.
    decommit_zeroes = system.MADV_REMOVE is not None

    def __init__(self, path: str | os.PathLike[str], size_bytes: int | None = None) -> None:
        """Create or open the file, and map it. Cost: one ``mmap``."""
        self.path = Path(path)
        if size_bytes is not None and size_bytes <= 0:
            raise InvalidRequestError(f"a file range needs a positive size: {size_bytes} bytes")
        self._mmap = self._open(size_bytes)
        self.size_bytes: int | None = len(self._mmap)
        self._exclusive = Exclusive()

    def _open(self, size_bytes: int | None) -> mmap.mmap:
        descriptor, created = self._descriptor(may_create=size_bytes is not None)
        try:
            length = os.fstat(descriptor).st_size
            if length == 0 and size_bytes is not None:
                system.allocate_file(descriptor, size_bytes)
                length = size_bytes
            wanted = length if size_bytes is None else size_bytes
            return self._map(descriptor, length, max(wanted, 1))
        except BaseException:
            if created:
                self.path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def _map(self, descriptor: int, length: int, wanted: int) -> mmap.mmap:
        if length < wanted:
            raise InvalidRequestError(f"{self.path} is too small: {length} bytes, {wanted} bytes needed")
        return mmap.mmap(descriptor, wanted)

    def _descriptor(self, *, may_create: bool) -> tuple[int, bool]:
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
        try:
            if may_create:
                with contextlib.suppress(FileExistsError):
                    return os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o666), True
            return os.open(self.path, flags), False
        except OSError as error:
            if error.errno in _NOT_WRITABLE:
                raise InvalidRequestError(f"{self.path} cannot be opened for writing: {error.strerror}") from error
            raise

    def map(self, size: int, alignment: int) -> MappedMemory:
        """The file's range. Raises ``InvalidRequestError`` while another heap, or a view that outlived one, uses it."""
        memory = MappedMemory(self._mmap, offset=0, alignment=1, size=size, decommit_advice=system.MADV_REMOVE)
        if memory.address is not None and memory.address % alignment:
            raise InvalidRequestError(
                f"{self.path} is mapped at a multiple of {self.page_bytes} bytes, not of {alignment}"
            )
        self._exclusive.claim(memory.exporter, repr(self))
        return memory

    def flush(self) -> None:
        """Write changed pages out now (``msync``); the system does it in its own time otherwise."""
        self._mmap.flush()

    def __repr__(self) -> str:
        return f"FileMemory({str(self.path)!r}, {self.size_bytes})"
