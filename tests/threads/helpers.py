"""What these tests share: threads that start together, patterns of bytes, the proof that a heap is whole."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import arenas

if TYPE_CHECKING:
    from collections.abc import Callable

# Long enough for any machine, short enough to end a run that is stuck.
PATIENCE_SECONDS = 60


def together(*workers: Callable[[], object]) -> None:
    """Run each worker in a thread of its own, all starting at once; raise what the first of them raised."""
    barrier = threading.Barrier(len(workers))
    errors: list[BaseException] = []

    def run(worker: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE_SECONDS)
            worker()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "a thread is stuck"
    if errors:
        raise errors[0]


def elsewhere(worker: Callable[[], object]) -> None:
    """Run the worker in another thread, which is gone afterwards."""
    together(worker)


def pattern(key: int, size: int) -> bytes:
    """``size`` bytes that no other key has."""
    word = (key * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "little")
    return (word * (size // 8 + 1))[:size]


def prove_whole(heap: arenas.Heap, *, interrupted: bool = False) -> None:
    """Nothing is held any more: the books add up, and all memory goes back to the system.

    The counters of what happened, unlike the sums of what is there, may miss what an interruption cut short.
    """
    gc.collect()
    heap.check()
    stats = heap.stats()
    assert (stats.live_blocks, stats.live_bytes, stats.rounding_bytes) == (0, 0, 0), stats
    assert (stats.parked_bytes, stats.mailbox_bytes) == (0, 0), stats
    assert stats.parts_bytes == stats.reserved_bytes == stats.free_bytes + stats.cached_bytes, stats
    assert interrupted or stats.allocations == stats.frees, stats
    heap.trim()
    assert heap.stats().reserved_bytes == 0
    assert heap.stats().committed_bytes == 0


def run_program(name: str, *arguments: object) -> str:
    """Run a program that lies beside these tests, in an interpreter of its own; what it printed.

    It ends itself, all its threads' stacks shown, should it be stuck; this limit is for one that cannot even do that.
    """
    here = Path(__file__).resolve()
    package = Path(arenas.__file__).resolve().parent.parent
    paths = [str(here.parents[2]), str(package), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, str(here.parent / name), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{name} {arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
