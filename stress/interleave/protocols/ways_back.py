"""What was freed finds its way back to whoever needs it, and to nobody else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from ..protocol import PAGE, Protocol, pattern
from .common import SIZE

if TYPE_CHECKING:
    import arenas

    from ..turns import Worker


class Drain(Protocol):
    """An owner allocates and frees while another thread frees its blocks: no two blocks overlap, memory stays flat, and
    the other never waits.
    """

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "region_bytes": PAGE}

    def a(self) -> Worker:
        self.given = [self.alloc(SIZE) for _ in range(4)]
        self.freed = 0
        yield
        self.free(self.given[0])
        self.alloc(SIZE)
        yield
        for _ in range(self.freed):
            self.alloc(SIZE)

    def b(self) -> Worker:
        yield
        for block in self.given[1:3]:
            self.free(block)
            self.freed += 1

    def verify(self) -> None:
        assert self.heap.stats().reserved_bytes == PAGE, "another region was mapped for what was free"
        assert 1 not in self.turns.waited, "a free by another thread waited"


class Drop(Protocol):
    """Handles are dropped, and the words of their finalizers read, by two threads at once: each block ends once."""

    def a(self) -> Worker:
        blocks = [self.heap.alloc(SIZE), self.heap.alloc(SIZE)]
        yield
        blocks.clear()
        self.heap.alloc(SIZE).free()
        yield
        self.alloc(SIZE)

    def b(self) -> Worker:
        block = [self.heap.alloc(SIZE)]
        yield
        block.clear()
        yield
        self.alloc(SIZE)


class Park(Protocol):
    """A block is freed while the last view of it dies: its memory is used again after that, and is not forgotten."""

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "region_bytes": PAGE}

    def a(self) -> Worker:
        self.block = self.heap.alloc(SIZE)
        self.view: memoryview | None = self.block.view
        self.view[:] = pattern(99, SIZE)
        yield
        self.block.free()
        yield
        self.alloc(SIZE)

    def b(self) -> Worker:
        yield
        assert bytes(self.view or b"") == pattern(99, SIZE), "memory was used again under a view"
        self.view = None
        self.alloc(SIZE)
        yield
        self.alloc(SIZE)


class Adopt(Protocol):
    """Two threads begin where one has ended: no arena serves both, and what is freed to the one adopted comes back."""

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "region_bytes": PAGE}

    def prepare(self) -> None:
        left: list[arenas.Block] = []
        owner = threading.Thread(target=lambda: left.extend([self.alloc(SIZE), self.alloc(SIZE)]))
        owner.start()
        owner.join()
        self.left = dict(zip("ab", left, strict=True))
        self.serves: dict[int, str] = {}  # arena -> the thread

    def work(self, name: str) -> Worker:
        """A thread's life."""
        yield
        block = self.alloc(SIZE)
        assert self.serves.setdefault(block.arena, name) == name, f"arena {block.arena} serves two threads"
        self.free(self.left.pop(name))
        yield
        # Nobody ends before the other has begun: who has ended may be succeeded.
        self.turns.wait(lambda: not self.left, None)

    def a(self) -> Worker:
        return self.work("a")

    def b(self) -> Worker:
        return self.work("b")


class OwnerEnds(Protocol):
    """A block is freed to an owner that ends just now, and a new thread comes: it is not lost, and not served twice."""

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "region_bytes": PAGE}

    def a(self) -> Worker:
        self.blocks = [self.alloc(SIZE), self.alloc(SIZE)]
        yield
        self.free(self.blocks[0])

    def b(self) -> Worker:
        yield
        self.free(self.blocks[1])

    def c(self) -> Worker:
        yield
        self.alloc(SIZE)
        yield
        self.alloc(SIZE)


class NoFalseRefusal(Protocol):
    """What a thread has freed, wherever it lies, serves that thread's next request: no ``OutOfMemoryError``."""

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "limit_bytes": 4 * PAGE}

    def a(self) -> Worker:
        self.blocks = [self.alloc(PAGE) for _ in range(4)]
        yield
        self.free(self.blocks[0])
        self.alloc(PAGE)

    def b(self) -> Worker:
        yield
        self.free(self.blocks[1])
        self.alloc(PAGE)


class Steal(Protocol):
    """A thread takes from and gives to its own stock while another is short of memory and looks there: each gets its
    own, and nobody is refused.
    """

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "limit_bytes": 4 * PAGE}

    def a(self) -> Worker:
        blocks = [self.heap.alloc(PAGE) for _ in range(4)]
        for block in blocks:
            block.free()
        yield
        self.free(self.alloc(PAGE))
        self.alloc(PAGE)

    def b(self) -> Worker:
        yield
        self.alloc(PAGE)
        self.alloc(2 * PAGE)


class LocalHeap(Protocol):
    """As ``Drain``, the owner through its own façade."""

    options: ClassVar[dict[str, Any]] = {"arenas": "thread", "region_bytes": PAGE}

    def a(self) -> Worker:
        local = self.heap.local()
        self.given = [local.alloc(SIZE), local.alloc(SIZE)]
        self.hold(self.given[0])
        self.hold(self.given[1])
        yield
        self.free(self.given[0])
        block = local.alloc(SIZE)
        yield
        self.hold(block)
        self.hold(local.alloc(SIZE))

    def b(self) -> Worker:
        yield
        self.free(self.given[1])
