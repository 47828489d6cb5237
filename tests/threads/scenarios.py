"""Each public operation in a small heap: what comes before, what may be interrupted, and what must hold."""

from __future__ import annotations

import ctypes
import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import arenas
from tests.threads.helpers import elsewhere, pattern

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = 1000
REGION = 1 << 16


@dataclass
class Stage:
    """A heap, and all that its caller holds of it."""

    heap: arenas.Heap
    blocks: list[tuple[arenas.Block, int]] = field(default_factory=list)  # with the keys of their patterns
    results: list[Any] = field(default_factory=list)  # what the operation gave: blocks, arrays, anything
    addresses: list[int] = field(default_factory=list)

    def add(self, size: int) -> arenas.Block:
        """One more block, filled with a pattern."""
        block = self.heap.alloc(size)
        key = len(self.blocks) + 1
        block.view[:] = pattern(key, size)
        self.blocks.append((block, key))
        return block

    def malloc(self, size: int) -> int:
        """One more address, filled with a pattern."""
        address = self.heap.malloc(size)
        ctypes.memmove(address, pattern(77, size), size)
        self.addresses.append(address)
        return address

    def verify_contents(self) -> None:
        """Every block that was not freed holds what was written, as far as its size goes now."""
        for block, key in self.blocks:
            if not block.released:
                size = min(block.size, SMALL)
                assert block.view[:size] == pattern(key, size), f"{block!r} lost its contents"

    @property
    def held(self) -> int:
        """How many live allocations the caller knows of."""
        handles = [block for block, _ in self.blocks] + [r for r in self.results if isinstance(r, arenas.Block)]
        arrays = [result for result in self.results if type(result).__name__ == "ndarray"]
        return sum(not block.released for block in handles) + len(arrays) + len(self.addresses)


@dataclass(frozen=True)
class Scenario:
    """``act`` is what is interrupted."""

    act: Callable[[Stage], object]
    prepare: Callable[[Stage], object] = lambda _: None
    options: dict[str, Any] = field(default_factory=dict)
    in_new_thread: bool = False
    spare: int = 0  # allocations that an interruption may leave to nobody: an address lost on its way to the caller
    needs_numpy: bool = False
    ends_heap: bool = False

    def stage(self, **options: Any) -> Stage:
        """A fresh heap with a bystander in it."""
        # The clock stands still: a step of decay in the middle would add points that the next run does not have.
        defaults: dict[str, Any] = {"region_bytes": REGION, "clock": lambda: 100.0}
        stage = Stage(arenas.Heap(**{**defaults, **self.options, **options}))
        stage.add(SMALL)
        self.prepare(stage)
        return stage


def _keep(result: Callable[[Stage], Any]) -> Callable[[Stage], object]:
    return lambda stage: stage.results.append(result(stage))


def _fence(stage: Stage) -> None:
    """A block, and another right behind it."""
    stage.add(SMALL)
    stage.add(100)


def _in_scope(stage: Stage) -> None:
    with stage.heap.scope() as scope:
        for size in (100, 200, 20_000):
            scope.alloc(size)
        scope.alloc(50).free()


def _open_scope(stage: Stage) -> None:
    scope = stage.heap.scope()
    stage.results.append(scope)
    stage.results.extend(scope.alloc(size) for size in (100, 200, 20_000))


def _strand(stage: Stage) -> None:
    """Everything up to the limit lies in the mailbox of a thread that has ended, or is left to finalizers."""
    others: list[arenas.Block] = []
    elsewhere(lambda: others.extend(stage.heap.alloc(4096) for _ in range(11)))
    others[0].view  # noqa: B018 - so that there are roots
    for block in others[:6]:
        block.free()


def _parked(stage: Stage) -> None:
    """A block freed under a view; two in the mailbox; one dropped."""
    block = stage.heap.alloc(300)
    stage.results.append(block.view[10:20])
    block.free()
    others: list[arenas.Block] = []
    elsewhere(lambda: others.extend(stage.heap.alloc(200) for _ in range(3)))
    others[0].free()
    others[1].free()


def _free_address(stage: Stage) -> None:
    stage.heap.free(stage.addresses.pop())


def _realloc(size: int) -> Callable[[Stage], object]:
    def act(stage: Stage) -> None:
        address = stage.heap.realloc(stage.addresses[0], size)
        assert address is not None
        stage.addresses[0] = address

    return act


def _malloc(stage: Stage) -> None:
    stage.malloc(SMALL)


def _calloc(stage: Stage) -> None:
    address = stage.heap.calloc(10, 100)
    assert not any(ctypes.string_at(address, SMALL))
    ctypes.memmove(address, pattern(77, SMALL), SMALL)
    stage.addresses.append(address)


def _drop(stage: Stage) -> None:
    stage.blocks.pop()
    stage.heap.alloc(1).free()


def _dirty(stage: Stage) -> None:
    block = stage.heap.alloc(3 * SMALL)
    block.view[:] = b"\xff" * (3 * SMALL)
    block.free()


def _refused(stage: Stage) -> None:
    try:
        stage.heap.alloc(REGION)
    except arenas.OutOfMemoryError:
        pass
    else:
        raise AssertionError("more than the limit was given")


def _freed_twice(stage: Stage) -> None:
    try:
        stage.blocks[-1][0].free()
    except arenas.DoubleFreeError:
        pass
    else:
        raise AssertionError("a second free succeeded")


def _with(stage: Stage) -> None:
    with stage.heap.alloc(SMALL) as block:
        block.view[:2] = b"ab"


def _resize(size: int) -> Callable[[Stage], object]:
    return lambda stage: stage.blocks[1][0].resize(size)


_free_last = Scenario(lambda stage: stage.blocks[-1][0].free(), lambda stage: stage.add(SMALL))

SCENARIOS: dict[str, Scenario] = {
    "alloc": Scenario(_keep(lambda stage: stage.heap.alloc(SMALL))),
    "alloc in a new region": Scenario(_keep(lambda stage: stage.heap.alloc(20_000)), lambda stage: stage.add(50_000)),
    "alloc large": Scenario(_keep(lambda stage: stage.heap.alloc(40_000))),
    "alloc zero": Scenario(_keep(lambda stage: stage.heap.alloc(2 * SMALL, zero=True)), _dirty),
    "alloc with word waiting": Scenario(_keep(lambda stage: stage.heap.alloc(SMALL)), _parked),
    "alloc under a limit": Scenario(
        _keep(lambda stage: stage.heap.alloc(40_000)), _strand, {"limit_bytes": 3 * 4096 + 40_960}
    ),
    "alloc of fresh pages": Scenario(_keep(lambda stage: stage.heap.alloc(20_000)), options={"limit_bytes": 1 << 22}),
    "alloc refused": Scenario(_keep(_refused), options={"limit_bytes": REGION}),
    "first alloc of a thread": Scenario(_keep(lambda stage: stage.heap.alloc(SMALL)), in_new_thread=True),
    "view": Scenario(lambda stage: bytes(stage.blocks[0][0].view)),
    "free": _free_last,
    "free remotely": Scenario(_free_last.act, _free_last.prepare, in_new_thread=True),
    "free at once given back": Scenario(_free_last.act, _free_last.prepare, {"decay_seconds": 0}),
    "free twice": Scenario(_freed_twice, lambda stage: stage.add(SMALL).free()),
    "drop": Scenario(_drop, lambda stage: stage.add(SMALL)),
    "with": Scenario(_with),
    "resize in place, growing": Scenario(_resize(3 * SMALL), lambda stage: stage.add(SMALL)),
    "resize in place, shrinking": Scenario(_resize(100), _fence),
    "resize moving": Scenario(_resize(3 * SMALL), _fence),
    "malloc": Scenario(_malloc, spare=1),
    "calloc": Scenario(_calloc, _dirty, spare=1),
    "realloc in place": Scenario(_realloc(3 * SMALL), lambda stage: stage.malloc(SMALL)),
    "realloc moving": Scenario(_realloc(3 * SMALL), lambda stage: (stage.malloc(SMALL), stage.add(100))),
    "free address": Scenario(_free_address, lambda stage: stage.malloc(SMALL), spare=1),
    "find": Scenario(lambda stage: stage.heap.find(stage.blocks[0][0].address + 5)),
    "scope": Scenario(_in_scope),
    "scope exit": Scenario(lambda stage: stage.results[0].close(), _open_scope),
    "ndarray": Scenario(_keep(lambda stage: stage.heap.ndarray((10, 10))), needs_numpy=True),
    "zeros": Scenario(_keep(lambda stage: stage.heap.zeros(300)), _dirty, needs_numpy=True),
    "stats": Scenario(lambda stage: stage.heap.stats(), _parked),
    "snapshot": Scenario(lambda stage: stage.heap.snapshot(), _parked),
    "check": Scenario(lambda stage: stage.heap.check(), _parked),
    "trim": Scenario(lambda stage: stage.heap.trim(), _parked),
    "reset": Scenario(lambda stage: stage.heap.reset(), _parked),
    "close": Scenario(lambda stage: stage.heap.close(), _parked, ends_heap=True),
}


def settle(stage: Stage) -> arenas.Stats:
    """The books after a check; what only the collector can find is found if the sums ask for it."""
    stage.heap.check()
    if stage.heap.stats().live_blocks != stage.held:
        gc.collect()
        stage.heap.check()
    return stage.heap.stats()


def verify(scenario: Scenario, stage: Stage, *, interrupted: bool) -> None:
    """What must hold afterwards, interrupted or not: no lock is held, the books are whole, nothing leaked."""
    if scenario.ends_heap:
        stage.heap.close()  # an interrupted one is completed by another
    elsewhere(lambda: _use(stage.heap))
    stage.verify_contents()
    live = settle(stage).live_blocks
    spare = scenario.spare if interrupted else 0
    assert stage.held <= live <= stage.held + spare, f"{live} live blocks, the caller holds {stage.held}"
    stage.addresses[:] = [_current(stage.heap, address, moved=interrupted) for address in stage.addresses]
    _end(stage, spare)


def _current(heap: arenas.Heap, address: int, *, moved: bool) -> int:
    """Where the allocation is now. A moving ``realloc`` interrupted at its very return has happened: the old address is
    dead, and the new one was lost on its way to the caller, with everything in it.
    """
    live = [span for span in heap.snapshot().spans if span.state == "live" and span.held == "address"]
    if moved and address not in [span.address for span in live]:
        (lost,) = live
        assert lost.address is not None
        address = lost.address
    assert ctypes.string_at(address, SMALL) == pattern(77, SMALL)
    return address


def _use(heap: arenas.Heap) -> None:
    """All of it from another thread, which would wait for ever if a lock was left taken."""
    if not heap.closed:
        heap.alloc(64).free()
        heap.trim()
    heap.check()


def _end(stage: Stage, spare: int) -> None:
    heap = stage.heap
    stage.results.clear()
    stage.blocks.clear()
    if not heap.closed:
        for address in stage.addresses:
            heap.free(address)
        live = settle_empty(heap, spare)
        assert live <= spare, f"{live} blocks are live, and nobody holds them"
        if live:
            heap.reset()
        heap.check()
        heap.trim()
    stats = heap.stats()
    assert stats.reserved_bytes == stats.parts_bytes == stats.committed_bytes == 0, stats


def settle_empty(heap: arenas.Heap, spare: int) -> int:
    """Live blocks, after a collection where there are more than expected."""
    heap.check()
    stats = heap.stats()
    if stats.live_blocks > spare or stats.parked_bytes:
        gc.collect()
        heap.check()
    return heap.stats().live_blocks
