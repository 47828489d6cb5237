"""The record of one allocation, and the proof that nothing can see its memory any more."""

from __future__ import annotations

import enum
import gc
import sys
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

from .system import FREE_THREADED

if TYPE_CHECKING:
    import weakref

    from .region import Region


class Held(enum.Enum):
    """By what a live allocation is held."""

    HANDLE = "handle"
    """A ``Block``; it ends when the block is freed or dropped."""
    ADDRESS = "address"
    """An integer from ``malloc``; it ends with ``free``."""
    ARRAY = "array"
    """A NumPy array without a handle; it ends when nothing can see it any more."""
    SCOPE = "scope"
    """The part of a scope's chunk not handed out yet."""


# A block's roots: memoryviews over its span, each with its owner.
Roots = list[tuple[memoryview, Any]]

_NOWHERE: dict[int, Record] = {}  # where a request that was not served yet is looked for, in vain


class Record:
    """What an arena knows of one carved span. The arena's table holds it until the span is returned.

    ``position``, ``span`` and the table are changed under the arena's lock only. ``serial`` is unique to the
    allocation within its arena: it is what a free claims, never the position, which the next allocation may have too.
    """

    __slots__ = (
        "alignment",
        "arena_number",
        "dropped",
        "fresh",
        "held",
        "hint",
        "live",
        "moved",
        "mover",
        "parked",
        "position",
        "region",
        "roots",
        "serial",
        "size",
        "span",
        "tag",
    )

    def __init__(self, size: int, span: int, alignment: int, tag: str | None, held: Held = Held.HANDLE) -> None:
        """A request; an arena fills in the rest when it carves the span."""
        self.size = size  # asked for
        self.span = span  # carved
        self.alignment = alignment
        self.tag = tag
        self.held = held
        self.arena_number = -1  # -1: not carved yet
        self.serial = 0
        self.live: dict[int, Record] = _NOWHERE  # the arena's live allocations, by serial
        self.position = 0
        self.region: Region | None = None
        self.fresh = False  # whether no byte was handed out since its page was last given back
        self.dropped = False  # collected without free()
        self.parked = False  # freed, and found visible
        self.moved = False  # replaced by a resize
        self.mover: object = None  # who resizes it just now: no new view may appear
        # Every root handed out, with its owner. A list, because two threads may make the first one at once; replaced
        # as a whole when position or size change, so that a view made from the old ones can be told.
        self.roots: Roots = []
        # Calls when the view it watches dies; one a record is enough for a hint.
        self.hint: weakref.ref[Any] | None = None

    @property
    def number(self) -> str:
        """The arena's number and the serial: what an error calls this allocation."""
        return f"#{self.arena_number}.{self.serial}"

    @property
    def is_live(self) -> bool:
        """Whether the allocation has not been freed."""
        return self.serial in self.live

    @property
    def state(self) -> str:
        """In which part of the reserved bytes it counts: live, scope, parked or mailbox (freed, on the way back)."""
        if self.is_live:
            return "scope" if self.held is Held.SCOPE else "live"
        return "parked" if self.parked else "mailbox"

    def claim(self) -> bool:
        """End the allocation. Of two threads that try at once exactly one gets True. No lock."""
        return self.live.pop(self.serial, None) is not None

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

    def view(self, roots: Roots, size: int) -> memoryview | None:
        """A fresh view of ``size`` bytes, published in ``roots``; None once the heap was closed.

        The detour through a pickle buffer gives the view a buffer of its own whose owner is the root. So every slice,
        cast and array made from it keeps the root referenced, and ``visible`` can tell.
        """
        try:
            # The newest, if it is of this size; and not released by somebody who dug for it.
            root = next((root for root, _ in roots[-1:] if len(root) == size), None)
        except ValueError:
            root = None
        if root is None:
            region = self.region
            mapping = region.mapping if region is not None else None
            if mapping is None:
                return None
            root = mapping.root(self.start, size)
            roots.append((root, root.obj))
        return memoryview(PickleBuffer(root))

    def visible(self) -> bool:
        """Whether anything can still see the memory. Under the arena's lock, after no new view can be made.

        Reference counts are the proof: a weakref's callback comes before finalizers that may still read a view,
        ``release()`` succeeds while slices live, and ``np.ndarray(buffer=…)`` keeps no export. Three are looked at,
        and whatever is made of a view refers to one of them: the root's (views, and arrays over them), its buffer's
        (what is made of ``view.obj`` or ``array.base``), and its owner's (arrays over those, and all that is made of
        the owner).
        """
        # Without the GIL a count is the sum of two halves, read one after the other; a reference that changes threads
        # in between can be missed. The second look would have to miss another one.
        return _references(self.roots) > _UNSEEN or (FREE_THREADED and _references(self.roots) > _UNSEEN)


def _references(roots: Roots) -> int:
    most = 0
    for root, owner in roots:
        count = sys.getrefcount(root) + sys.getrefcount(owner)
        for buffer in gc.get_referents(root):
            count += sys.getrefcount(buffer)
        try:
            len(root)
        except ValueError:
            count += 1  # released by somebody who dug for it: its own reference to the owner is gone
        most = max(count, most)
    return most


def unheld(live: dict[int, Record]) -> list[Record]:
    """Live records whose holder is gone without a word: an array whose last view died, a handle whose finalizer was
    interrupted.

    Under the arena's lock. A handle is gone when nothing but the arena refers to the record; the handle's own
    reference never changes hands, so its count cannot be misread. O(records).
    """
    found = []
    for record, references in _counted(live):
        if record.held is Held.ARRAY:
            gone = not record.visible()
        else:
            gone = record.held is not Held.ADDRESS and references <= _UNHELD
        if gone:
            found.append(record)
    return found


def _counted(live: dict[int, Record]) -> list[tuple[Record, int]]:
    return [(record, sys.getrefcount(record)) for record in list(live.values())]


def _measure_unheld() -> int:
    record = Record(0, 0, 1, None)
    live, carved = {1: record}, {0: record}
    del record
    return _counted(live)[0][1] + len(carved) - 1


_UNHELD = _measure_unheld()


# What `_references` finds where there is no view: measured, since interpreters differ in how many temporary
# references they hold.
def _measure_unseen() -> int:
    root = memoryview(bytearray(8)).cast("B")[2:6]
    roots: Roots = [(root, root.obj)]
    del root
    return _references(roots)


_UNSEEN = _measure_unseen()
