"""A range that only one heap may use at a time, for as long as any part of it is visible."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from ..errors import InvalidRequestError


class Exclusive:
    """Remembers, weakly, what was handed out last, and refuses another while that is alive."""

    def __init__(self) -> None:
        # Protects the reference below; taken only when a heap is built. Re-entrant: a handler may build one too.
        self._lock = threading.RLock()
        self._witness: weakref.ref[Any] | None = None

    def claim(self, witness: object, name: str) -> None:
        """Make ``witness`` the holder. Raises ``InvalidRequestError`` while an earlier one is alive."""
        with self._lock:
            if self._witness is not None and self._witness() is not None:
                raise InvalidRequestError(f"{name} is in use: by another heap, or by a view that outlived one")
            self._witness = weakref.ref(witness)
