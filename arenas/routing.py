"""Which arena a thread uses: one rule a class."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from . import system
from .errors import ArenaBusyError, InvalidRequestError
from .section import interrupts_section

if TYPE_CHECKING:
    from collections.abc import Callable

    from .arena import Arena


class Routing(Protocol):
    """Chooses an arena for the calling thread."""

    def home(self) -> Arena:
        """The arena this thread allocates from now."""

    def may_enter(self, arena: Arena) -> bool:
        """Whether this thread frees into the arena itself; otherwise it leaves the span in the mailbox."""


class _ThreadState:
    """Lives as long as its thread. Its identity is the thread's: ``get_ident`` numbers are used again."""

    __slots__ = ("__weakref__", "arena")

    def __init__(self, arena: Arena) -> None:
        self.arena = arena


class _Owner(weakref.ref[Any]):
    """A reference to a thread's state that knows the arena to give up when the thread ends."""

    __slots__ = ("arena",)
    arena: Arena


class ByThread:
    """An arena a thread, adopted by the next new thread once its owner has ended.

    An ended thread's arena is found through the weak reference to the thread's state: its callback is the deque's own
    ``append``, one step that nothing can interrupt.
    """

    def __init__(self, arenas: list[Arena], new_arena: Callable[[], Arena]) -> None:
        self._arenas = arenas
        self._new_arena = new_arena
        self._local = threading.local()
        self._idle: deque[_Owner] = deque()  # owners that ended, with their arenas
        # Protects adoption: no arena gets two owners. Re-entrant: a handler may be a thread's first call, while it
        # adopts.
        self.lock = threading.RLock()

    def home(self) -> Arena:
        """This thread's arena. O(1); O(arenas) for a new thread that finds none idle."""
        try:
            state: _ThreadState = self._local.state
        except AttributeError:
            return self._adopt()
        return state.arena

    def may_enter(self, arena: Arena) -> bool:
        """The owner always; anyone where there is no owner and the lock is free."""
        try:
            if self._local.state.arena is arena:
                return True
        except AttributeError:
            pass
        return _ownerless(arena) and not arena.lock.locked()

    def _adopt(self) -> Arena:
        if not interrupts_section():
            with self.lock:
                return self._adopt_now()
        # A finalizer inside an arena's section must not wait for a thread that may be waiting for that arena.
        if not self.lock.acquire(blocking=False):
            raise ArenaBusyError(
                "another thread is adopting an arena, and may be waiting for the code interrupted here"
            )
        try:
            return self._adopt_now()
        finally:
            self.lock.release()

    def _adopt_now(self) -> Arena:
        arena = self._next_idle() or self._new_arena()
        state = _ThreadState(arena)
        owner = _Owner(state, self._idle.append)
        owner.arena = arena
        arena.owner = owner
        self._local.state = state
        return arena

    def _next_idle(self) -> Arena | None:
        while True:
            try:
                owner = self._idle.popleft()
            except IndexError:
                break
            if owner.arena.owner is owner:
                return owner.arena
        # An interrupted adoption may have taken an arena off the deque and gone no further.
        return next((arena for arena in self._arenas if not arena.shared and _ownerless(arena)), None)


class Shared:
    """A fixed number of arenas that nobody owns; each thread keeps to one, the threads spread evenly, contended ones
    avoided.
    """

    def __init__(self, arenas: list[Arena], count: int) -> None:
        self._arenas = arenas
        self._count = count
        self._local = threading.local()
        self._next = itertools.count()

    def home(self) -> Arena:
        """The thread's arena, or the next one whose lock is free."""
        return self._uncontended(self._slot())

    def may_enter(self, arena: Arena) -> bool:
        """Anyone, while the lock is free."""
        return not arena.lock.locked()

    def _slot(self) -> int:
        try:
            slot: int = self._local.slot
        except AttributeError:
            slot = self._local.slot = next(self._next) % self._count
        return slot

    def _uncontended(self, slot: int) -> Arena:
        for step in range(self._count):
            arena = self._arenas[(slot + step) % self._count]
            if not arena.lock.locked():
                return arena
        return self._arenas[slot]


class ByCpu(Shared):
    """An arena a CPU this process may run on (``os.sched_getaffinity``), chosen by the CPU the thread runs on just now.

    Where the C library does not tell the CPU, each thread keeps to one arena as in :class:`Shared`.
    """

    def __init__(self, arenas: list[Arena], cpus: tuple[int, ...]) -> None:
        super().__init__(arenas, len(cpus))
        self._slot_of = {cpu: slot for slot, cpu in enumerate(cpus)}

    def _slot(self) -> int:
        if system.current_cpu is None:
            return super()._slot()
        cpu = system.current_cpu()
        # A process may have been moved to CPUs it was not on when the heap was built.
        return self._slot_of.get(cpu, cpu % self._count)


def _ownerless(arena: Arena) -> bool:
    return arena.owner is None or arena.owner() is None


def arena_count(spec: str | int, *, growable: bool) -> int:
    """How many arenas to build at once: 0 for one a thread, built as threads come. Raises ``InvalidRequestError``."""
    if spec == "cpu":
        return len(system.usable_cpus())
    if spec == "thread":
        if not growable:
            raise InvalidRequestError(
                'arenas="thread" needs a backing that can map more regions; pass a number, or "cpu"'
            )
        return 0
    if isinstance(spec, bool) or not isinstance(spec, int):
        raise InvalidRequestError(f'arenas must be "thread", "cpu" or a number, not {spec!r}')
    if spec < 1:
        raise InvalidRequestError(f"arenas must be at least 1: {spec}")
    return spec


def make_routing(spec: str | int, arenas: list[Arena], new_arena: Callable[[], Arena]) -> Routing:
    """The rule named by a heap's ``arenas=``, over arenas that are there already unless it is one a thread."""
    if spec == "thread":
        return ByThread(arenas, new_arena)
    if spec == "cpu":
        return ByCpu(arenas, system.usable_cpus())
    return Shared(arenas, int(spec))
