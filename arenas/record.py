"""The record of one carved span, and the proof that nothing can see its memory any more."""

from __future__ import annotations

import enum
import functools
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from .system import FREE_THREADED

if TYPE_CHECKING:
    from .region import Region


class Held(enum.Enum):
    """By what an allocation is held."""

    HANDLE = "handle"
    """A ``Block``; it ends when the block is freed or dropped."""
    ADDRESS = "address"
    """An integer from ``malloc``; it ends with ``free``."""
    ARRAY = "array"
    """A NumPy array without a handle; it ends when nothing can see it any more."""
    SCOPE = "scope"
    """The part of a scope's chunk not handed out yet."""
    DROPPED = "dropped"
    """Nothing: a handle that was collected without ``free``."""
    MOVED = "moved"
    """Nothing: a resize has put another in its place."""

    __hash__ = object.__hash__  # as good, and not in Python: it is part of the key of `terms`


class Terms(NamedTuple):
    """What allocations of one kind have in common; one object serves them all."""

    held: Held
    alignment: int
    tag: str | None


@functools.lru_cache(maxsize=4096)
def terms(held: Held, alignment: int, tag: str | None) -> Terms:
    """The terms, the same object for the same arguments (as far as the table reaches)."""
    return Terms(held, alignment, tag)


class Phase(enum.Enum):
    """What else there may be to know of a record; a resize in progress puts a :class:`Mover` in this place."""

    FRESH = "fresh"
    """No byte of it was handed out since its pages were last given back."""
    PARKED = "parked"
    """Freed, and found visible."""


class Mover:
    """A resize in progress: no new view may appear, and a free has to wait for the arena's lock."""

    __slots__ = ("serial",)

    def __init__(self, serial: int) -> None:
        self.serial = serial


class Stock:
    """Spans of one length, ready in one thread's cache. Every record taken through it refers to it, to come back."""

    __slots__ = ("cache", "charge", "ready", "span")

    def __init__(self, cache: Any, span: int, charge: int) -> None:  # noqa: ANN401 - a Cache, of a layer above
        self.cache = cache
        self.span = span
        self.charge = charge  # what one span counts for against the cache's room
        self.ready: list[Record] = []  # last in, first out


class Nobody:
    """Stands where a cache would, for what was not taken through one."""

    __slots__ = ("live", "mailbox")
    ident = least_room = 0  # no thread's

    def __init__(self, live: dict[int, Record], mailbox: deque[Record]) -> None:
        self.live = live
        self.mailbox = mailbox


# Goes back to its arena, to be joined with its neighbours there: a scope's, and what a resize has moved.
NEVER_KEPT = Stock(Nobody({}, deque()), 0, 0)


class Record:
    """What an arena knows of one carved span. The arena's table holds it until the span is returned.

    ``position``, ``span`` and the table are changed under the arena's lock only. ``serial`` is unique to the
    allocation within its heap: it is what a free claims, never the position, which the next allocation may have too.
    A record whose span stays with a thread's cache serves many allocations, one after the other.
    """

    # There is one for every live block: fields that few records need share a slot, constants share an object.
    __slots__ = ("phase", "position", "region", "roots", "serial", "size", "span", "stock", "terms")

    def __init__(self, size: int, span: int, terms: Terms) -> None:
        """A request; an arena fills in the rest when it carves the span."""
        self.size = size  # asked for
        self.span = span  # carved
        self.terms = terms
        self.serial = 0
        self.position = 0
        self.region: Region | None = None  # None: not carved yet
        self.stock = NEVER_KEPT  # where it may go when it is freed
        # The owners of every view handed out; None before the first. A list, because two threads may make the first
        # one at once; the region keeps it under the position, so that both get the same list.
        self.roots: list[Any] | None = None
        self.phase: Phase | Mover | None = None

    @property
    def held(self) -> Held:
        """By what it is held."""
        return self.terms.held

    @held.setter
    def held(self, held: Held) -> None:
        self.terms = terms(held, self.terms.alignment, self.terms.tag)

    @property
    def alignment(self) -> int:
        """The power of two that divides its address."""
        return self.terms.alignment

    @property
    def tag(self) -> str | None:
        """What the caller named it."""
        return self.terms.tag

    @property
    def number(self) -> str:
        """What an error calls this allocation."""
        return number(self.serial)

    @property
    def arena_number(self) -> int:
        """The number of its arena; -1 before it is carved."""
        return -1 if self.region is None else self.region.arena_number

    @property
    def is_live(self) -> bool:
        """Whether the allocation has not been freed."""
        region = self.region
        return region is not None and self.serial in region.live

    @property
    def parked(self) -> bool:
        """Whether it was freed, and found visible."""
        return self.phase is Phase.PARKED

    @property
    def barred(self) -> bool:
        """Whether what it serves is being resized. It may be met with the mover of an allocation it served before: who
        put that there finds it ended, and gives up.
        """
        phase = self.phase
        return isinstance(phase, Mover) and phase.serial == self.serial

    @property
    def state(self) -> str:
        """In which part of the reserved bytes it counts: live, scope, parked or cached (freed, and kept by a thread or
        on its way to one).
        """
        if self.is_live:
            return "scope" if self.held is Held.SCOPE else "live"
        return "parked" if self.parked else "cached"

    def claim(self, serial: int) -> bool:
        """End the allocation of this serial, the one that was meant: the record may serve another by now. Of two
        threads that try at once exactly one gets True. No lock.
        """
        region = self.region
        return region is not None and region.live.pop(serial, None) is not None

    @property
    def start(self) -> int:
        """Where the span begins in its region."""
        assert self.region is not None
        return self.position - self.region.base

    @property
    def offset(self) -> int:
        """Where the span begins in its backing."""
        region = self.region
        assert region is not None
        return self.start + region.offset

    @property
    def address(self) -> int | None:
        """Where the span begins in this process; None where there is no memory."""
        region = self.region
        assert region is not None
        return None if region.address is None else region.address + self.start

    def view(self, size: int) -> memoryview | None:
        """A fresh view of ``size`` bytes whose owner is in ``roots``; None once the heap was closed.

        Every view has a buffer of its own over the owner. So every slice, cast and array made from it keeps the owner
        referenced, and ``visible`` can tell.
        """
        roots = self.roots
        if roots is None and (roots := self._make_roots()) is None:
            return None
        if roots:
            view = memoryview(roots[-1]).cast("B")
            if len(view) >= size:
                return view if len(view) == size else view[:size]
        mapping = self.region.mapping if self.region is not None else None
        if mapping is None:
            return None
        owner = mapping.owner(self.start, size)
        roots.append(owner)
        return memoryview(owner).cast("B")[:size]

    def _make_roots(self) -> list[Any] | None:
        region = self.region
        if region is None or region.mapping is None:
            return None
        self.roots = roots = region.roots.setdefault(self.position, [])
        return roots

    def visible(self) -> bool:
        """Whether anything can still see the memory. Asked after the allocation was claimed, or its new views barred.

        Reference counts are the proof: a weakref's callback comes before finalizers that may still read a view,
        ``release()`` succeeds while slices live, and ``np.ndarray(buffer=…)`` keeps no export. Whatever is made of a
        view, or of its ``obj``, refers to the owner.
        """
        roots = self.roots
        # Without the GIL a count is the sum of two halves, read one after the other; a reference that changes threads
        # in between can be missed. The second look would have to miss another one.
        return roots is not None and (_seen(roots) or (FREE_THREADED and _seen(roots)))


# Serials begin with the number of who hands them out: an arena, or a thread's cache.
SERIAL_BITS = 40


class Handle:
    """What a block is made of, without its methods."""

    # The serial too: the record may serve another allocation by now. No `__weakref__`: without the GIL, the end of an
    # object that has one and a finalizer takes a lock whose cache line all others' share, and threads wait in line.
    __slots__ = ("_heap", "_record", "_serial")


def number(serial: int) -> str:
    """What an error calls the allocation of this serial."""
    return f"#{serial >> SERIAL_BITS}.{serial & ((1 << SERIAL_BITS) - 1)}"


def _seen(roots: list[Any]) -> bool:
    for owner in roots:  # noqa: SIM110 - a generator's frame would hold a reference of its own
        if sys.getrefcount(owner) > _UNSEEN:
            return True
    return False


# What is counted where there is no view: measured, for interpreters differ in how many temporary references they hold.
def _measure_unseen() -> int:
    roots = [memoryview(b"")]
    most = 0
    for owner in roots:
        most = sys.getrefcount(owner)
    return most


def _measure_unseen_first() -> int:
    roots = [memoryview(b"")]
    return sys.getrefcount(roots[0])


_UNSEEN = _measure_unseen()
UNSEEN_FIRST = _measure_unseen_first()
