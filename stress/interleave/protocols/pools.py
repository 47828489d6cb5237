"""Arrays of a pool: nobody is served twice, nobody forgotten."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar, Final

import arenas
import arenas.line

from ..protocol import Protocol
from ..turns import BEGIN_SECONDS
from .common import SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..turns import Worker

# When who waits would look by himself; in these runs time passes only where nobody can go on.
NEVER_SECONDS: Final = 1000.0
_LOOKS: Final = ("_FIRST_LOOK_SECONDS", "_LAST_LOOK_SECONDS")


class PoolProtocol(Protocol):
    """A pool of ``count`` arrays, and what was got from it: arrays, each filled with a number of its own."""

    needs: ClassVar[tuple[str, ...]] = ("numpy",)
    count = 1

    @classmethod
    @contextlib.contextmanager
    def around(cls) -> Iterator[None]:
        """Who waits does not look by himself."""
        module = vars(arenas.line)
        before = {name: module[name] for name in _LOOKS}
        module.update(dict.fromkeys(_LOOKS, NEVER_SECONDS))
        try:
            yield
        finally:
            module.update(before)

    def prepare(self) -> None:
        self.pool = self.heap.pool(SIZE, "u1", self.count)
        self.arrays: dict[int, Any] = {}
        self.refused = 0
        self.told: list[arenas.HeapClosedError] = []

    def get(self, key: int, timeout: float | None = None) -> None:
        """Keep an array, filled with ``key``."""
        array = self.pool.get(timeout)
        array[:] = key
        self.arrays[key] = array

    def try_to_get(self, key: int) -> None:
        """The same, without waiting."""
        try:
            self.get(key, 0)
        except arenas.PoolTimeoutError:
            self.refused += 1

    def drop(self, key: int) -> None:
        """Its last view dies here."""
        assert (self.arrays[key] == key).all(), "another has written into it"
        del self.arrays[key]

    def use(self, key: int) -> None:
        """Wait for one, and give it back."""
        self.get(key)
        self.drop(key)

    def end(self) -> None:
        """All arrays come back, and at the end all memory."""
        self.verify()
        assert self.turns.now < BEGIN_SECONDS + NEVER_SECONDS, "somebody was not woken"
        for key in [*self.arrays]:
            self.drop(key)
        assert not self.pool._line  # noqa: SLF001 - nobody is left in it
        assert self.pool.closed or self.pool.free == self.count
        self.pool.close()
        super().end()


class Returned(PoolProtocol):
    """One thread waits, another drops the last view: the first is woken, whatever it was doing then."""

    def a(self) -> Worker:
        yield
        self.use(1)

    def b(self) -> Worker:
        self.get(2)
        self.arrays[2] = self.arrays[2][10:20]
        yield
        self.drop(2)


class Chain(PoolProtocol):
    """Two wait for one array: the first to be served gives it back, and the second is served."""

    def a(self) -> Worker:
        yield
        self.use(1)

    def b(self) -> Worker:
        yield
        self.use(2)

    def c(self) -> Worker:
        self.get(3)
        yield
        self.drop(3)


class TwoReturned(PoolProtocol):
    """Two wait, two arrays come back at once: both are served, with different memory."""

    count = 2

    def a(self) -> Worker:
        yield
        self.get(1)

    def b(self) -> Worker:
        yield
        self.get(2)

    def c(self) -> Worker:
        self.get(3)
        self.get(4)
        yield
        self.drop(3)
        self.drop(4)


class NoneRefused(PoolProtocol):
    """Two get an array at once and will not wait: there are two, so neither is refused; nor by one who counts."""

    count = 2

    def a(self) -> Worker:
        yield
        self.try_to_get(1)

    def b(self) -> Worker:
        yield
        self.try_to_get(2)

    def c(self) -> Worker:
        yield
        assert 0 <= self.pool.free <= self.count

    def verify(self) -> None:
        assert not self.refused


class Overtaken(PoolProtocol):
    """One that will not wait comes in between: whether it is served or refused, the other is served."""

    def a(self) -> Worker:
        yield
        self.try_to_get(1)
        if 1 in self.arrays:
            self.drop(1)

    def b(self) -> Worker:
        yield
        self.use(2)

    def c(self) -> Worker:
        self.get(3)
        yield
        self.drop(3)


class PoolClosed(PoolProtocol):
    """A pool is closed: who waits is told; what is out stays as it is."""

    waiters = 1

    def close(self) -> None:
        """The end of the pool."""
        self.pool.close()

    def a(self) -> Worker:
        yield
        self.wait_for_the_end()

    def b(self) -> Worker:
        self.get(2)
        yield
        self.close()
        if not self.heap.closed:
            self.alloc(SIZE)

    def wait_for_the_end(self) -> None:
        """A wait that nobody will serve."""
        try:
            self.pool.get()
        except arenas.HeapClosedError as error:
            self.told.append(error.with_traceback(None))

    def verify(self) -> None:
        assert len(self.told) == self.waiters


class PoolClosedUnderTwo(PoolClosed):
    """The same, with two that wait."""

    waiters = 2

    def c(self) -> Worker:
        yield
        self.wait_for_the_end()


class HeapReset(PoolClosed):
    """A heap is reset, and with it the pool ends."""

    def close(self) -> None:
        self.heap.reset()


class HeapClosed(PoolClosed):
    """A heap is closed, and with it the pool."""

    def close(self) -> None:
        self.heap.close()


class ClosedUnderGet(PoolProtocol):
    """A pool is closed under a request: it is told so, or its array is its own for as long as it lives."""

    def a(self) -> Worker:
        yield
        with contextlib.suppress(arenas.HeapClosedError):
            self.get(1)

    def b(self) -> Worker:
        yield
        self.pool.close()
        self.alloc(SIZE)
