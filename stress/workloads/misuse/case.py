"""One kind of misuse, and the scene it is played in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import arenas

from ... import audit
from ...errors import ThreadDiedError
from ...referee import Referee

if TYPE_CHECKING:
    from typing import Self

    from ...allocators.protocol import Allocator
    from ...stage import Stage

NOTHING: Final = "nothing"
"""As an outcome: nothing was raised and nothing reported."""
SIZE: Final = 1000
LIMIT: Final = 1 << 20
_WITH_NUMBERS: Final = (
    arenas.InvalidRequestError,
    arenas.InvalidFreeError,
    arenas.BlockReleasedError,
    arenas.OutOfMemoryError,
)
"""Errors whose message must show some."""


Misuse = Callable[[], object]
"""Does it."""
Prepare = Callable[["Scene"], Misuse]
"""Sets it up."""


class NotPlayedError(Exception):
    """What a misuse needs has not come about."""


class Reported(str):
    """What a misuse returns that was reported instead of raised."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of misuse."""

    name: str
    prepare: Prepare
    outcome: str
    """The name of the error that must be raised, or the kind of fault that must be reported, or `NOTHING`."""


class Scene:
    """Where one case is played. What is allocated through it is freed afterwards, which must succeed."""

    def __init__(self, stage: Stage[Any], heap: arenas.Heap) -> None:
        """``heap`` belongs to nobody else meanwhile, except for what is live there."""
        self.heap = heap
        self._stage = stage
        self._blocks: list[arenas.Block] = []
        self._addresses: dict[int, None] = {}
        self._private: list[Allocator[Any] | arenas.Heap] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for private in self._private:
            private.close()

    def play(self, case: Case) -> list[str] | None:
        """Play a case; what is wrong then, in words. None if it cannot be played here."""
        before = self.heap.stats()
        outcome = self._outcome(case)
        wrong = []
        if outcome not in {case.outcome, None}:
            wrong.append(f"{outcome}, where {case.outcome} was expected")
        try:
            self._tidy()
            self.heap.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the misuse has left it
            wrong.append(f"afterwards {type(error).__name__}: {error}")
        after = self.heap.stats()
        wrong += [
            f"{what} was {getattr(before, what):,} before and is {getattr(after, what):,}"
            for what in ("live_blocks", "live_bytes")
            if getattr(before, what) != getattr(after, what)
        ]
        wrong += audit.sums(after, "heap")
        return None if outcome is None and not wrong else wrong

    def _outcome(self, case: Case) -> str | None:
        """What came of it; None where it could not be played, for which there need be no memory."""
        try:
            result = case.prepare(self)()
        except NotPlayedError:
            return None
        except ThreadDiedError:
            raise
        except Exception as error:  # noqa: BLE001 - that is the question
            name = type(error).__name__
            if name != case.outcome and isinstance(error, MemoryError) and self._stage.referee.may_refuse:
                return None
            if isinstance(error, _WITH_NUMBERS) and not any(map(str.isdigit, str(error))):
                name += " without a number"
            return name
        return str(result) if isinstance(result, Reported) else NOTHING

    def block(self, size: int = SIZE) -> arenas.Block:
        """A block to be misused. It may be freed in the course of that."""
        block = self.heap.alloc(size)
        self._blocks.append(block)
        return block

    def address(self, size: int = SIZE) -> int:
        """The address of a block to be misused. It may be freed with `free`, and not otherwise."""
        address = self.heap.malloc(size)
        self._addresses[address] = None
        return address

    def free(self, address: int) -> None:
        """Free what `address` gave."""
        del self._addresses[address]
        self.heap.free(address)

    def private(self) -> arenas.Heap:
        """One more heap like this one, to be closed or reset."""
        allocator: Any = self._stage.another()
        self._private.append(allocator)
        heap: arenas.Heap = allocator.heap
        return heap

    def small(self) -> arenas.Heap:
        """A heap that holds `LIMIT` bytes, in one arena whatever CPU a thread is moved to."""
        heap = arenas.Heap(arenas=1, limit_bytes=LIMIT)
        self._private.append(heap)
        return heap

    def referee(self) -> Referee[Any]:
        """A referee of one more allocator like this one: what is planted there is not the run's fault."""
        allocator = self._stage.another()
        self._private.append(allocator)
        return Referee(allocator, seed=0)

    def _tidy(self) -> None:
        for block in self._blocks:
            if not block.released:
                block.free()
        for address in self._addresses:
            self.heap.free(address)


def at_once(*actions: Callable[[], object]) -> None:
    """Do several things in threads that begin together; raise what one of them raised, if it was exactly one."""
    barrier = threading.Barrier(len(actions))
    errors: list[Exception] = []

    def act(action: Callable[[], object]) -> None:
        barrier.wait()
        try:
            action()
        except Exception as error:  # noqa: BLE001 - that is the question
            errors.append(error)

    threads = [threading.Thread(target=act, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("more than one was refused", errors)
