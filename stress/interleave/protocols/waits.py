"""Who waits is woken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

import arenas

from ..protocol import PAGE, Protocol

if TYPE_CHECKING:
    from ..turns import Worker


class Waiting(Protocol):
    """Who waits for memory is woken by whatever frees it: nobody has to look by himself, nobody waits for ever."""

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "limit_bytes": 2 * PAGE}

    def prepare(self) -> None:
        self.blocks = [self.heap.alloc(PAGE), self.heap.alloc(PAGE)]

    def a(self) -> Worker:
        yield
        block = self.heap.alloc(PAGE, timeout=None)
        yield
        self.hold(block)

    def verify(self) -> None:
        assert not self.turns.timeouts, "a waiter was not woken"
        self.blocks = []


class WaitForFree(Waiting):
    """Woken by a free, through the mailbox of an owner that is asleep."""

    def b(self) -> Worker:
        yield
        self.blocks[0].free()


class WaitForOwner(Waiting):
    """Woken by an owner's free, which keeps what it freed at hand for itself."""

    def prepare(self) -> None:
        pass

    def b(self) -> Worker:
        self.blocks = [self.heap.alloc(PAGE), self.heap.alloc(PAGE)]
        yield
        self.blocks[0].free()


class WaitForFullOwner(Waiting):
    """The same while the owner has its surplus in hand."""

    options: ClassVar[dict[str, Any]] = {
        "arenas": "thread",
        "limit_bytes": 5 * PAGE,
        "cache_bytes": 4 * PAGE,
        "region_bytes": 8 * PAGE,
    }

    def prepare(self) -> None:
        pass

    def a(self) -> Worker:
        yield
        block = self.heap.alloc(5 * PAGE, timeout=None)
        yield
        self.hold(block)

    def b(self) -> Worker:
        self.blocks = [self.heap.alloc(PAGE) for _ in range(5)]
        for block in self.blocks[:4]:
            block.free()
        yield
        self.blocks[4].free()


class ShortOfMemory(Waiting):
    """Who does not wait is served all the same, if what is live leaves room, whatever others keep ready meanwhile."""

    def prepare(self) -> None:
        pass

    def a(self) -> Worker:
        yield
        block = self.heap.alloc(PAGE)
        yield
        self.hold(block)

    def b(self) -> Worker:
        for size in (PAGE, PAGE // 2, PAGE):
            block = self.heap.alloc(size)
            yield
            block.free()


class WaitForDrop(WaitForOwner):
    """Woken by the finalizer of a handle, in the thread that made it: without the GIL another's may run much later."""

    def b(self) -> Worker:
        self.blocks = [self.heap.alloc(PAGE), self.heap.alloc(PAGE)]
        yield
        self.blocks.pop()


class WaitForView(Waiting):
    """Woken by the end of the last view of a block that was freed."""

    def b(self) -> Worker:
        view: memoryview | None = self.blocks[0].view
        self.blocks[0].free()
        yield
        assert view is not None
        view = None


class WaitForReset(Waiting):
    """Woken by a reset, and served after it."""

    def a(self) -> Worker:
        yield
        self.heap.alloc(PAGE, timeout=None)

    def b(self) -> Worker:
        yield
        self.heap.reset()


class WaitForClose(Waiting):
    """Woken by the end of the heap, and told."""

    def a(self) -> Worker:
        yield
        with contextlib.suppress(arenas.HeapClosedError):
            self.heap.alloc(PAGE, timeout=None)

    def b(self) -> Worker:
        yield
        self.heap.close()


class WaitInTwos(Waiting):
    """Two waiters, and as much as both want: both are served."""

    def b(self) -> Worker:
        yield
        block = self.heap.alloc(PAGE, timeout=None)
        yield
        self.hold(block)

    def c(self) -> Worker:
        yield
        self.blocks[0].free()
        self.blocks[1].free()
