"""Being told of each step of each thread, by whatever the interpreter offers for that."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from arenas.system import FREE_THREADED
from tests.threads.steps import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    Watcher = Callable[[CodeType, int], None]

_TOOL = 3  # of those that nobody has reserved

# With the GIL, and from 3.12 on: 3.12.1 dies of `sys.settrace` in one thread while another stands in its tracer.
# Without the GIL it would take twice as long.
_monitoring: Any = None if FREE_THREADED else getattr(sys, "monitoring", None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Have ``watcher`` called before each step, in the thread that is about to take it. See :func:`begin_thread`."""

    def on_instruction(code: CodeType, offset: int) -> object:
        if offset not in steps(code):
            return _monitoring.DISABLE
        watcher(code, offset)
        return None

    if _monitoring is None:
        yield
        return
    event = _monitoring.events.INSTRUCTION
    _monitoring.use_tool_id(_TOOL, "arenas")
    try:
        _monitoring.register_callback(_TOOL, event, on_instruction)
        _monitoring.set_events(_TOOL, event)
        yield
    finally:
        _monitoring.set_events(_TOOL, 0)
        _monitoring.register_callback(_TOOL, event, None)
        _monitoring.free_tool_id(_TOOL)


def begin_thread(watcher: Watcher) -> None:
    """By each thread that is to be watched, with what :func:`watching` got."""
    if _monitoring is not None:
        return

    def on_call(frame: FrameType, event: str, argument: object) -> Any:
        if not steps(frame.f_code):
            return None
        frame.f_trace = on_event  # before the next: 3.13 asks for it
        frame.f_trace_opcodes = True
        return on_event

    def on_event(frame: FrameType, event: str, argument: object) -> Any:
        if event == "opcode" and frame.f_lasti in steps(frame.f_code):
            watcher(frame.f_code, frame.f_lasti)
        return on_event

    sys.settrace(on_call)


def end_thread() -> None:
    """By each thread that began."""
    if _monitoring is None:
        sys.settrace(None)
