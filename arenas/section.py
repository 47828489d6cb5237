"""Critical sections, and how code that interrupted one can tell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

F = TypeVar("F", bound="Callable[..., Any]")

_sections: set[CodeType] = set()


def section(function: F) -> F:
    """Mark a function that holds an arena's lock while it runs."""
    _sections.add(function.__code__)
    return function


def interrupts_section() -> bool:
    """Whether this thread is inside a section further up: this is a signal handler, a finalizer or a GC callback that
    must not wait.

    Asked only when a lock was found taken, from the function that wants it. The stack is the one witness that exists
    on every interpreter from the first instruction of a section to its last. O(stack depth).
    """
    frame = sys._getframe(2)
    while (caller := frame.f_back) is not None:
        frame = caller
        if frame.f_code in _sections:
            return True
    return False
