"""Any sequence of public operations leaves contents, sizes and books as a plain model has them."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import arenas
from tests.heap._model import Array, Entry, Model, OpenScope, Raw, pattern
from tests.heap._support import RELIEF_MAY_CHANGE, Clock, assert_whole, books, in_thread, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import numpy as np
except ImportError:  # the rest of the model is worth a run without it
    np = None  # type: ignore[assignment]

LIMIT = 160 << 10
PAGE = 4096

HEAPS: dict[str, dict[str, Any]] = {
    "thread": {"arenas": "thread", "region_bytes": 4096},
    "thread, wider": {"arenas": "thread", "region_bytes": 65536, "decay_seconds": 0},
    "one": {"arenas": 1, "region_bytes": 16384},
    "three": {"arenas": 3, "region_bytes": 8192, "alignment": 1},
    "limit": {"arenas": "thread", "region_bytes": 16384, "limit_bytes": LIMIT},
    "limit, three": {"arenas": 3, "region_bytes": 65536, "limit_bytes": LIMIT, "decay_seconds": None},
    "file": {"backing": "file"},
    "file, three": {"backing": "file", "arenas": 3},
    "space": {"backing": "space"},
    "space, three": {"backing": "space", "arenas": 3},
}

picks = st.integers(0, 1 << 16)
sizes = st.one_of(st.integers(0, 200), st.integers(0, 6000), st.sampled_from([0, 1, 16, 64, 4095, 4096, 4097, 20000]))
alignments = st.sampled_from([None, None, 1, 2, 16, 64, 128, 4096, 16384, 65536])


def pick(items: list[Any], number: int) -> Any:
    return items[number % len(items)]


def has(*names: str) -> Callable[[Any], bool]:
    """Some list of the model is not empty, and the heap has memory where the rule needs it."""
    return lambda self: any(getattr(self.model, name) for name in names)


def memory(self: Any) -> bool:
    return bool(self.heap.backing.has_memory)


class HeapMachine(RuleBasedStateMachine):
    """One heap, driven through its public surface."""

    options: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        options = dict(self.options)
        self.clock = Clock()
        self.folder = tempfile.TemporaryDirectory()
        if options.get("backing") == "file":
            options["backing"] = arenas.FileMemory(Path(self.folder.name) / "memory", 50 * PAGE)
        elif options.get("backing") == "space":
            options["backing"] = arenas.AddressSpace(30_011)
        self.heap = arenas.Heap(clock=self.clock, **options)
        self.model = Model()

    # Requests

    def _attempt(self, request: Callable[[], Any], size: int, alignment: int | None) -> Any:
        """What the request gives; None where it was truly out of memory, and nothing but free pages changed."""
        before = numbers(books(self.heap), RELIEF_MAY_CHANGE)
        try:
            return request()
        except arenas.OutOfMemoryError:
            stats = books(self.heap)
            assert numbers(stats, RELIEF_MAY_CHANGE) == before
            if "limit_bytes" in self.options:
                assert stats.committed_bytes + (size // PAGE + 3) * PAGE > LIMIT
            else:
                assert not self.heap.backing.growable
                assert stats.largest_free_bytes < size + max(alignment or 1, self.heap.backing.alignment)
        return None

    def _enter(self, block: arenas.Block, size: int, alignment: int | None, seed: int, *, in_scope: bool) -> Entry:
        assert block.size == size <= block.capacity
        place = block.address if memory(self) else block.offset
        assert place % (alignment or self.heap.backing.alignment * ("alignment" not in self.options) or 1) == 0
        mine = range(block.offset, block.offset + block.capacity)
        for entry in self.model.live_entries:
            start = entry.block.offset
            assert start + entry.block.capacity <= mine.start or mine.stop <= start
        data = bytes(size)
        if memory(self):
            data = pattern(seed, size)
            block.view[:] = data
        return Entry(block, data, in_scope)

    @rule(size=sizes, alignment=alignments, seed=picks, zero=st.booleans())
    def alloc(self, size: int, alignment: int | None, seed: int, *, zero: bool) -> None:
        zero = zero and memory(self)
        block = self._attempt(lambda: self.heap.alloc(size, alignment=alignment, zero=zero), size, alignment)
        if block is not None:
            assert not zero or not any(block.view)
            self.model.entries.append(self._enter(block, size, alignment, seed, in_scope=False))

    @precondition(lambda self: memory(self) and np is not None)
    @rule(size=sizes, seed=picks)
    def array(self, size: int, seed: int) -> None:
        array = self._attempt(lambda: self.heap.zeros(size, "u1"), size, None)
        if array is not None:
            assert type(array) is np.ndarray
            assert not array.any()
            data = pattern(seed, size)
            array[:] = np.frombuffer(data, "u1")
            info = self.heap.find(array.ctypes.data)
            assert info is not None
            self.model.arrays.append(Array(array, data, info.capacity))

    # The life of a block

    @precondition(memory)
    @precondition(lambda self: self.model.live_entries)
    @rule(number=picks, seed=picks, keep=st.booleans())
    def write(self, number: int, seed: int, *, keep: bool) -> None:
        entry = pick(self.model.live_entries, number)
        view = entry.block.view
        half = len(entry.data) // 2
        entry.data = pattern(seed, half) + entry.data[half:]
        view[:half] = entry.data[:half]
        if keep:
            entry.views.append(view if seed % 2 or np is None else np.frombuffer(view[:], "u1"))

    @precondition(lambda self: self.model.live_entries)
    @rule(number=picks, size=sizes)
    def resize(self, number: int, size: int) -> None:
        entry = pick(self.model.live_entries, number)
        if entry.views:
            with pytest.raises(BufferError, match=f"{len(entry.data)} bytes"):
                entry.block.resize(size)
            return
        if memory(self):
            done = self._attempt(lambda: entry.block.resize(size) or True, size, entry.block.alignment)
        else:
            try:
                entry.block.resize(size)
                done = True
            except arenas.OutOfMemoryError:
                done = None
        if done:
            kept = entry.data[:size]
            if memory(self):
                assert bytes(entry.block.view[: len(kept)]) == kept
                entry.block.view[len(kept) :] = bytes(size - len(kept))
            entry.data = kept + bytes(size - len(kept))
        assert entry.block.size == len(entry.data)
        entry.span = entry.block.capacity

    @precondition(lambda self: self.model.live_entries)
    @rule(number=picks, elsewhere=st.booleans())
    def free(self, number: int, *, elsewhere: bool) -> None:
        entry = pick(self.model.live_entries, number)
        if elsewhere:
            in_thread(entry.block.free)
        else:
            entry.block.free()
        self._forget(entry)
        self.model.bury(entry)

    @precondition(has("entries"))
    @rule(number=picks)
    def drop(self, number: int) -> None:
        entry = pick(self.model.entries, number)
        self._forget(entry)
        self.model.bury(entry, keep_handle=False)

    def _forget(self, entry: Entry) -> None:
        for entries in (self.model.entries, *(scope.entries for scope in self.model.scopes)):
            entries[:] = [one for one in entries if one is not entry]

    @precondition(has("ghosts"))
    @rule(number=picks)
    def drop_view(self, number: int) -> None:
        ghost = pick(self.model.ghosts, number)
        ghost.views.pop(number % len(ghost.views))
        if not ghost.views:
            self.model.ghosts.remove(ghost)

    @precondition(has("arrays"))
    @rule(number=picks)
    def drop_array(self, number: int) -> None:
        self.model.arrays.pop(number % len(self.model.arrays))

    @precondition(has("dead"))
    @rule(number=picks)
    def free_again(self, number: int) -> None:
        with pytest.raises(arenas.DoubleFreeError, match="freed"):
            pick(self.model.dead, number).free()

    # Addresses

    @precondition(memory)
    @rule(size=sizes, seed=picks, zero=st.booleans())
    def malloc(self, size: int, seed: int, *, zero: bool) -> None:
        request = (lambda: self.heap.calloc(1, size)) if zero else (lambda: self.heap.malloc(size))
        address = self._attempt(request, size, 16)
        if address is not None:
            assert address % 16 == 0
            assert not zero or not any(ctypes.string_at(address, size))
            data = pattern(seed, size)
            ctypes.memmove(address, data, size)
            self.model.raws.append(Raw(address, data))

    @precondition(has("raws"))
    @rule(number=picks, size=sizes)
    def realloc(self, number: int, size: int) -> None:
        raw = pick(self.model.raws, number)
        if size == 0:
            assert self.heap.realloc(raw.address, 0) is None
            self.model.raws.remove(raw)
            return
        address = self._attempt(lambda: self.heap.realloc(raw.address, size), size, 16)
        if address is not None:
            kept = raw.data[:size]
            assert ctypes.string_at(address, len(kept)) == kept
            ctypes.memset(address + len(kept), 0, size - len(kept))
            raw.address, raw.data = address, kept + bytes(size - len(kept))

    @precondition(has("raws"))
    @rule(number=picks)
    def free_address(self, number: int) -> None:
        raw = self.model.raws.pop(number % len(self.model.raws))
        self.heap.free(raw.address)
        with pytest.raises(arenas.InvalidFreeError):
            self.heap.free(raw.address)

    # All of it

    @rule()
    def enter_scope(self) -> None:
        self.model.scopes.append(OpenScope(self.heap.scope()))

    @precondition(has("scopes"))
    @rule(number=picks, size=sizes, alignment=alignments, seed=picks)
    def alloc_in_scope(self, number: int, size: int, alignment: int | None, seed: int) -> None:
        one = pick(self.model.scopes, number)
        try:
            block = one.scope.alloc(size, alignment=alignment)
        except arenas.OutOfMemoryError:
            assert "limit_bytes" in self.options or not self.heap.backing.growable
            return
        one.entries.append(self._enter(block, size, alignment, seed, in_scope=True))

    @precondition(has("scopes"))
    @rule(number=picks)
    def leave_scope(self, number: int) -> None:
        one = self.model.scopes.pop(number % len(self.model.scopes))
        one.scope.close()
        for entry in one.entries:
            self.model.bury(entry)

    @precondition(lambda self: sum(self.model.live_sizes) > 3 * PAGE)
    @rule()
    def reset(self) -> None:
        self.heap.reset()
        self.model.bury_all()

    @rule()
    def trim(self) -> None:
        self.heap.trim()

    @rule(seconds=st.sampled_from([1.0, 5.0, 10.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def agrees(self) -> None:
        if memory(self):
            self.model.verify_contents()
        stats = books(self.heap)
        assert stats.live_bytes == sum(self.model.live_sizes)
        assert stats.live_blocks == len(self.model.live_sizes)
        assert stats.parked_bytes == self.model.parked_bytes
        threads = len({arena for arena in self.heap._manager.arenas if arena.table.caches})
        room = self.options.get("cache_bytes", 1 << 20) * threads
        assert stats.cached_bytes <= room + (64 << 10) * len(self.model.scopes)
        assert stats.committed_bytes <= self.options.get("limit_bytes", stats.committed_bytes)

    def teardown(self) -> None:
        self.model.let_go(self.heap)
        assert_whole(self.heap)
        self.heap.close()
        self.folder.cleanup()


@pytest.mark.parametrize("name", HEAPS)
def test_heap_agrees_with_model(name: str) -> None:
    """Every step keeps contents, sizes and books as the model has them; in the end all memory comes back."""
    machine = type("Machine", (HeapMachine,), {"options": HEAPS[name]})
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=health,
            # Forty steps can be read as they are; shrinking them would outlast the run's time limits.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            print_blob=True,
        ),
    )
