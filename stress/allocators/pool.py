"""The small protocol for anybody's pool: what to write to have it tested."""

from __future__ import annotations

from typing import Any, Final, Protocol

REQUIRED: Final = ("allocate", "free", "view")


class Pool(Protocol):
    """Three methods. All may be called by several threads at once: bring your own lock if you need one.

    It may have more, which are used where they are there:

    ``resize(token, size)``
        The block with another size, its first bytes kept; gives the token that counts from now on.
        Without it: allocate, copy, free.
    ``alignment``
        What every block's address is a multiple of; 1 without it.
    ``bounded``
        Whether it may run out: ``MemoryError`` is then part of the run. False without it.
    ``forgetful``
        Whether a block ends when its token is forgotten, as Python's own objects do. False without it.
    ``live_blocks()``
        How many it believes are live, to be compared with how many are.
    ``committed_bytes()``
        What it holds of the system's memory.
    ``check()``
        Proves its inner state: says what is wrong with it, or raises; None if nothing is.
    ``close()``
        Gives everything back.
    """

    def allocate(self, size: int) -> Any:  # noqa: ANN401 - a token is whatever the pool likes
        """A block of ``size`` bytes, at least 1: a token for it. Without one ``MemoryError``, and nothing changed."""

    def free(self, token: Any) -> None:  # noqa: ANN401
        """The block ends. The last that is done with a token, unless it is misused on purpose: then raise something."""

    def view(self, token: Any) -> Any:  # noqa: ANN401 - any exporter of a buffer
        """The block's memory: a writable buffer of at least its size, in one piece. It is let go at once, so that it
        is in the way of no ``resize`` and no ``free``; the memory must stay where it is until one of these.
        """
