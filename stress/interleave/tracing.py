"""Being told of each step of each thread, by whatever the interpreter offers for that."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from arenas.system import FREE_THREADED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from .steps import Steps

    Watcher = Callable[[CodeType, int], None]

_TOOL: Final = 3  # of those that nobody has reserved

# With the GIL, and from 3.12 on: 3.12.1 dies of `sys.settrace` in one thread while another stands in its tracer.
# Without the GIL it would take twice as long.
_monitoring: Any = None if FREE_THREADED else getattr(sys, "monitoring", None)


class Tracer:
    """Calls ``watcher`` before each step, in the thread that is about to take it."""

    def __init__(self, steps: Steps, watcher: Watcher) -> None:
        self._steps = steps
        self._watcher = watcher

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Nobody is watched before this, nor after."""
        if _monitoring is None:
            yield
            return
        event = _monitoring.events.INSTRUCTION
        _monitoring.use_tool_id(_TOOL, "arenas")
        try:
            _monitoring.register_callback(_TOOL, event, self._on_instruction)
            _monitoring.set_events(_TOOL, event)
            yield
        finally:
            _monitoring.set_events(_TOOL, 0)
            _monitoring.register_callback(_TOOL, event, None)
            _monitoring.free_tool_id(_TOOL)

    def begin_thread(self) -> None:
        """By each thread that is to be watched."""
        if _monitoring is None:
            self._trace()

    def end_thread(self) -> None:
        """By each thread that began."""
        if _monitoring is None:
            sys.settrace(None)

    def _on_instruction(self, code: CodeType, offset: int) -> object:
        if offset not in self._steps.of(code):
            return _monitoring.DISABLE
        self._watcher(code, offset)
        return None

    def _trace(self) -> None:
        steps_of, watcher = self._steps.of, self._watcher

        def on_call(frame: FrameType, _event: str, _argument: object) -> Any:  # noqa: ANN401 - a trace function's
            if not steps_of(frame.f_code):
                return None
            frame.f_trace = on_event  # before the next: 3.13 asks for it
            frame.f_trace_opcodes = True
            return on_event

        def on_event(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - a trace function's
            if event == "opcode" and frame.f_lasti in steps_of(frame.f_code):
                watcher(frame.f_code, frame.f_lasti)
            return on_event

        sys.settrace(on_call)
