"""What allocators other than an arenas heap say to misuse: each case in a process of its own, which may not survive.

An exception is caught, and so is an abort on purpose, which is how C's allocators raise. What is accepted silently, and
what kills or hangs, is a fault of that allocator.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import mmap
import os
import resource
import signal
from typing import TYPE_CHECKING, Any, Final

from ...allocators.protocol import ANYTHING
from ...allocators.unreliable import Unreliable
from ...errors import UnavailableError
from ...faults import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...allocators.protocol import Allocator
    from ...stage import Stage

SIZE: Final = 1000
PATIENCE_SECONDS: Final = 10
ACCEPTED: Final = "accepted silently"
_ABORTED: Final = "killed by SIGABRT"
_PAGE: Final = ctypes.c_char.from_buffer(mmap.mmap(-1, mmap.PAGESIZE))
"""Nobody's: what ctypes allocates itself may come from the very allocator that is asked."""


def play(stage: Stage[Any]) -> None:
    """Play each case once, on a fresh allocator, and say what came of it."""
    if not hasattr(os, "fork"):
        raise UnavailableError("each case needs a process of its own, and this system cannot fork")
    other = _willing(stage.another)
    token = other.allocate(SIZE, ANYTHING)
    other.free(token)
    other.close()
    cases = _SIZES if getattr(other, "forgetful", False) else _FREED | _SIZES
    for name, misuse in (cases | _ADDRESSES if isinstance(token, int) else cases).items():
        outcome = _outcome(lambda: _willing(stage.another), misuse)
        stage.note(f"{name}: {outcome}")
        if outcome == ACCEPTED or (outcome.startswith("killed") and outcome != _ABORTED):
            stage.referee.faults.add(f"{name}: {outcome}", Kind.MISUSE)


def _willing(make: Callable[[], Allocator[Any]]) -> Allocator[Any]:
    """One that refuses nothing on purpose, which would pass for having noticed something."""
    allocator = make()
    return allocator.upstream if isinstance(allocator, Unreliable) else allocator


def _outcome(make: Callable[[], Allocator[Any]], misuse: Callable[[Allocator[Any]], object]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):  # nothing may leave this process but through its end
            os.write(writing, _in_child(make, misuse).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return f"killed by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else told


def _in_child(make: Callable[[], Allocator[Any]], misuse: Callable[[Allocator[Any]], object]) -> str:
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)  # C's allocators have much to say before they abort
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(PATIENCE_SECONDS)
    try:
        misuse(make())
    except Exception as error:  # noqa: BLE001 - that is the question
        return f"{type(error).__name__}: {error}"
    return ACCEPTED


def _double_free(allocator: Allocator[Any]) -> None:
    token = allocator.allocate(SIZE, ANYTHING)
    allocator.free(token)
    allocator.free(token)


def _resize_freed(allocator: Allocator[Any]) -> None:
    token = allocator.allocate(SIZE, ANYTHING)
    allocator.free(token)
    allocator.resize(token, 2 * SIZE)


def _free_inside(allocator: Allocator[Any]) -> None:
    allocator.free(allocator.allocate(SIZE, ANYTHING) + SIZE // 2)


_FREED: Final[dict[str, Callable[[Allocator[Any]], object]]] = {
    "double free": _double_free,
    "resize after free": _resize_freed,
}
"""Not of those whose blocks end when they are forgotten: then there is nothing to misuse."""
_SIZES: Final[dict[str, Callable[[Allocator[Any]], object]]] = {
    "negative size": lambda allocator: allocator.allocate(-1, ANYTHING),
    "absurd size": lambda allocator: allocator.allocate(1 << 62, ANYTHING),
}
_ADDRESSES: Final[dict[str, Callable[[Allocator[Any]], object]]] = {
    "free of a block's middle": _free_inside,
    "free of a foreign address": lambda allocator: allocator.free(ctypes.addressof(_PAGE) + 256),
}
