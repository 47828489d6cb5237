"""Locks, queues and a clock that know whose turn it is: who would wait lets another thread run.

``standing_in`` puts them in the place of the real ones in the modules of ``arenas``, and nowhere else. Outside of a run
they behave as the real ones do for a thread that is alone, and time stands still.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections import deque
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from .turns import BEGIN_SECONDS, DeadlockError, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _wait(ready: Callable[[], bool], timeout: float | None) -> bool:
    if Turns.current is not None:
        return Turns.current.wait(ready, timeout)
    if not ready() and timeout is None:
        raise DeadlockError("a thread that is alone would wait for ever")
    return ready()


def _patience(blocking: bool, timeout: float) -> float | None:
    if not blocking:
        return 0
    return None if timeout < 0 else timeout


class Lock:
    """As ``threading.Lock``."""

    def __init__(self) -> None:
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Whether it was taken."""
        if not _wait(lambda: not self._held, _patience(blocking, timeout)):
            return False
        self._held = True
        return True

    def release(self) -> None:
        """By anybody."""
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._held

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class RLock:
    """As ``threading.RLock``."""

    def __init__(self) -> None:
        self._owner: int | None = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Whether it was taken, once more perhaps."""
        me = threading.get_ident()
        if not _wait(lambda: self._owner in {None, me}, _patience(blocking, timeout)):
            return False
        self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        """By its owner, as often as it was taken."""
        if self._owner != threading.get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._depth -= 1
        if not self._depth:
            self._owner = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class SimpleQueue:
    """As ``queue.SimpleQueue``."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Never waits."""
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The oldest item; raises ``queue.Empty`` if there is none in time."""
        if not _wait(lambda: bool(self._items), timeout if block else 0):
            raise queue.Empty
        return self._items.popleft()

    def put_nowait(self, item: Any) -> None:
        """As ``put``."""
        self._items.append(item)

    def get_nowait(self) -> Any:
        """As ``get`` without waiting."""
        return self.get(block=False)

    def empty(self) -> bool:
        """Whether nothing is in it."""
        return not self._items

    def qsize(self) -> int:
        """How many items are in it."""
        return len(self._items)


def monotonic() -> float:
    """The time of the run: it passes only where nobody could run otherwise."""
    return BEGIN_SECONDS if Turns.current is None else Turns.current.now


def sleep(seconds: float) -> None:
    """Let others run; no time passes while one can."""
    if Turns.current is not None:
        if seconds:
            Turns.current.wait(lambda: False, seconds)
        else:
            Turns.current.give_way()


_PLACES: dict[Any, Any] = {
    threading.Lock: Lock,
    threading.RLock: RLock,
    queue.SimpleQueue: SimpleQueue,
    time.monotonic: monotonic,
    time.sleep: sleep,
}


class _Module(ModuleType):
    """A module of the standard library, stand-ins in their places."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        return _PLACES.get(value, value) if callable(value) else value


@contextmanager
def standing_in() -> Iterator[None]:
    """For as long as this lasts, ``arenas`` makes, and asks, stand-ins."""
    modules = {module: _Module(module) for module in (threading, queue, time)}
    places = {id(real): stand_in for real, stand_in in (*_PLACES.items(), *modules.items())}
    with ExitStack() as patches:
        for module_name, module in list(sys.modules.items()):
            if module_name.partition(".")[0] == "arenas":
                for name, value in list(vars(module).items()):
                    if id(value) in places:
                        patches.callback(setattr, module, name, value)
                        setattr(module, name, places[id(value)])
        yield
