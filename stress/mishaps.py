"""What goes wrong on purpose: the system has no memory, a limit is reached, threads die, the collector never rests.

Nothing of it is an allocator's fault; what it makes of it may be. A request that is refused must have changed nothing,
a limit must hold, what a dead thread had must be neither lost nor stranded, and a finalizer may run at any allocation.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import ThreadDiedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishaps:
    """What is to go wrong in one run."""

    fail_nth: int | None = None
    """Which request to the system fails, counted from 1."""
    fail_rate: float = 0.0
    """The share of requests to the system that fail."""
    limit_bytes: int | None = None
    """What may be committed at once."""
    die_rate: float = 0.0
    """How likely a thread is to die at each call."""
    collect: bool = False
    """Whether the collector runs whenever an object is made."""
    seed: int = 0
    """Of what is random in it."""

    @property
    def fail(self) -> bool:
        """Whether requests to the system may fail."""
        return self.fail_nth is not None or self.fail_rate > 0

    @property
    def refuse(self) -> bool:
        """Whether requests to the allocator may be refused for it."""
        return self.fail or self.limit_bytes is not None

    def words(self) -> list[str]:
        """As words of a command."""
        words = [f"--fail-nth={self.fail_nth}"] if self.fail_nth is not None else []
        words += [f"--fail-rate={self.fail_rate}"] if self.fail_rate else []
        words += [f"--limit={self.limit_bytes}"] if self.limit_bytes is not None else []
        words += [f"--die-rate={self.die_rate}"] if self.die_rate else []
        return [*words, "--gc"] if self.collect else words

    @contextlib.contextmanager
    def collecting(self) -> Iterator[None]:
        """Have the collector run at every allocation of an object, if it is to."""
        if not self.collect:
            yield
            return
        before = gc.get_threshold()
        gc.set_threshold(1, 0)  # the 0: without the GIL it would wait until there are a quarter more objects
        try:
            yield
        finally:
            gc.set_threshold(*before)

    def fate(self, number: int, may_die: Callable[[], bool]) -> Callable[[], None] | None:
        """What befalls client ``number`` at each of its calls; None for nothing.

        Where garbage is collected it leaves some, in cycles, so that there is something to collect. Where threads die
        it may raise ``ThreadDiedError``, while ``may_die()``.
        """
        if not self.die_rate and not self.collect:
            return None
        numbers = random.Random(f"{self.seed}/fate/{number}")  # noqa: S311 - to be repeated, not secret

        def befall() -> None:
            if self.collect:
                garbage: list[object] = []
                garbage.append(garbage)
            if self.die_rate and numbers.random() < self.die_rate and may_die():
                raise ThreadDiedError

        return befall


NONE: Final = Mishaps()


class Failures:
    """Counts requests to the system, and has some of them fail. From any thread."""

    def __init__(self, mishaps: Mishaps) -> None:
        """None has been made."""
        self._mishaps = mishaps
        self._numbers = random.Random(f"{mishaps.seed}/failures")  # noqa: S311 - to be repeated, not secret
        # Protects the count and the random numbers. Taken inside an allocator's locks, and takes none itself.
        self._lock = threading.Lock()
        self._requests = 0
        self._over = False

    def request(self) -> None:
        """Count one request.

        Raises:
            OSError: this one fails, as the system would have it.

        """
        mishaps = self._mishaps
        with self._lock:
            self._requests += 1
            fails = self._requests == mishaps.fail_nth or self._numbers.random() < mishaps.fail_rate
        if fails and not self._over:
            raise OSError(errno.ENOMEM, "no memory: made to fail")

    def end(self) -> None:
        """From now on none fails."""
        self._over = True
