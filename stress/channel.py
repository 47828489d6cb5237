"""A queue between the threads of a run that can be told to let everybody go."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from .errors import AbandonedError

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")


class Channel(Generic[Item]):
    """First in, first out; a bounded one makes the quicker side wait. Any thread may call anything here.

    ``queue.Queue`` cannot be woken by a failure elsewhere before Python 3.13, where it learnt to shut down.
    """

    def __init__(self, capacity: int | None = None) -> None:
        """Empty; without a ``capacity`` nobody waits to put."""
        self._items: deque[Item] = deque()
        self._capacity = capacity
        self._changed = threading.Condition()
        self._aborted = False

    def put(self, item: Item) -> None:
        """Add an item, as soon as there is room.

        Raises:
            AbandonedError: the run was aborted before or meanwhile.

        """
        with self._changed:
            self._wait(lambda: self._capacity is None or len(self._items) < self._capacity)
            self._items.append(item)
            self._changed.notify_all()

    def get(self) -> Item:
        """Take the oldest item, as soon as there is one.

        Raises:
            AbandonedError: the run was aborted before or meanwhile.

        """
        with self._changed:
            self._wait(lambda: bool(self._items))
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def abort(self) -> None:
        """Let go everybody who waits, for good."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()

    def _wait(self, ready: Callable[[], bool]) -> None:
        self._changed.wait_for(lambda: self._aborted or ready())
        if self._aborted:
            raise AbandonedError
