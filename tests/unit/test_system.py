"""What the system lacks is done without: importing never fails, and a heap still keeps its promises."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import textwrap

import pytest

from arenas import system
from tests.unit._backings import view_of

# Each takes one feature away before `arenas` is imported.
WITHOUT = {
    "madvise constants": "for name in [n for n in dir(mmap) if n.startswith('MADV_')]: delattr(mmap, name)",
    "MAP_NORESERVE": "vars(mmap).pop('MAP_NORESERVE', None); sys.platform = 'other'",
    "the C library": """
        def refuse(*arguments, **options):
            raise OSError("no C library")
        ctypes.CDLL = refuse
    """,
    "functions of the C library": "ctypes.CDLL = lambda *arguments, **options: object()",
    "a CPU number": """
        class Function:
            def __call__(self, *arguments):
                return -1
        class Library:
            sched_getcpu = Function()
            mincore = Function()
        ctypes.CDLL = lambda *arguments, **options: Library()
    """,
    "sched_getaffinity": "del os.sched_getaffinity",
    "sched_getaffinity and cpu_count": "del os.sched_getaffinity; os.cpu_count = lambda: None",
    "register_at_fork": "del os.register_at_fork",
    "posix_fallocate": "del os.posix_fallocate",
}

USE = """
import arenas

for count in ("thread", "cpu", 2):
    with arenas.Heap(arenas=count, region_bytes=16384) as heap:
        blocks = [heap.alloc(size) for size in (1, 100, 5000, 40000)]
        for block in blocks:
            block.view[:] = b"\\xff" * block.size
        address = heap.malloc(100)
        assert heap.find(address + 5).inside == 5, heap.find(address + 5)
        heap.free(address)
        heap.check()
        stats = heap.stats()
        assert stats.parts_bytes == stats.reserved_bytes, stats
        assert stats.resident_bytes is None or stats.resident_bytes > 0, stats
        for block in blocks:
            block.free()
        blocks = [heap.alloc(size, zero=True) for size in (1, 100, 5000, 40000)]
        assert not any(any(block.view) for block in blocks)
        del blocks, block
        heap.trim()
        heap.check()
        assert heap.stats().reserved_bytes == 0, heap.stats()

with arenas.Heap(backing=arenas.AnonymousMemory(huge_pages=True)) as heap:
    heap.alloc(100, zero=True).view[:] = b"\\xff" * 100
    heap.trim()
    assert not any(heap.alloc(100, zero=True).view)

file = arenas.FileMemory(path, 65536)
with arenas.Heap(backing=file) as heap:
    block = heap.alloc(10000)
    block.view[:] = b"\\xff" * 10000
    block.free()
    heap.trim()
    assert not any(heap.alloc(10000, zero=True).view)
    heap.check()
print("used")
"""

# What `arenas` then knows itself to be without.
TOLD = {
    "madvise constants": "(system.MADV_DONTNEED, system.MADV_REMOVE, system.MADV_HUGEPAGE) == (None, None, None)",
    "the C library": "system.current_cpu is None and system.resident_bytes(4096, 1) is None",
    "functions of the C library": "system.current_cpu is None and system.resident_bytes(4096, 1) is None",
    "a CPU number": "system.current_cpu is None",
    "sched_getaffinity": "system.usable_cpus() == tuple(range(os.cpu_count()))",
    "sched_getaffinity and cpu_count": "system.usable_cpus() == (0,)",
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_a_heap_works_without(missing: str, tmp_path: os.PathLike[str]) -> None:
    """Importing succeeds, nothing is made up, and blocks, zeros, trimming, statistics and files still work."""
    program = "\n".join(
        [
            "import ctypes, mmap, os, sys",
            f"path = {os.fspath(tmp_path)!r} + '/file'",
            textwrap.dedent(WITHOUT[missing]),
            f"from arenas import system\nassert {TOLD.get(missing, 'True')}",
            USE,
        ]
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (result.stdout, result.stderr) == ("used\n", ""), result.stderr


def test_anonymous_memory_is_private() -> None:
    """Zeros, writable, and not shared with a child: the flags are those of a private mapping."""
    with system.map_anonymous(3 * mmap.PAGESIZE) as memory:
        assert len(memory) == 3 * mmap.PAGESIZE
        assert not any(memory[:])
        memory[0] = 1
        child = os.fork()
        if child == 0:
            memory[0] = 2
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert memory[0] == 1


def test_usable_cpus_are_those_of_the_process() -> None:
    """In order, not those that the machine merely has."""
    assert system.usable_cpus() == tuple(sorted(os.sched_getaffinity(0)))


def test_current_cpu_is_one_of_them() -> None:
    assert system.current_cpu is not None
    assert system.current_cpu() in system.usable_cpus()


def test_free_threading_is_what_the_interpreter_says() -> None:
    assert (not getattr(sys, "_is_gil_enabled", lambda: True)()) == system.FREE_THREADED


def test_resident_bytes_are_the_pages_touched() -> None:
    """Pages count once they were touched; a range that is none is nothing, one that is not mapped cannot be told."""
    from arenas.backing.memory import MappedMemory

    source = system.map_anonymous(8 * system.PAGE_BYTES)
    memory = MappedMemory(source, offset=0, alignment=1, size=len(source), decommit_advice=None)
    assert memory.address is not None
    assert system.resident_bytes(memory.address, memory.size) == 0
    for page in (1, 2, 5):
        view_of(memory, page * system.PAGE_BYTES, 1)[0] = 1
    assert system.resident_bytes(memory.address, memory.size) == 3 * system.PAGE_BYTES
    assert system.resident_bytes(memory.address + system.PAGE_BYTES, 10) == 10
    assert system.resident_bytes(memory.address, 0) == 0
    assert system.resident_bytes(0, system.PAGE_BYTES) is None
