"""Every place at which an interpreter delivers an interrupt, reached one at a time.

CPython looks for signals and thrown exceptions at the start of a function, at a jump backwards, and when a call
returns; never in between, in particular not between the end of a ``with`` body and ``__exit__``. A tracer that counts
the instructions after those finds each such point of an operation, and acts at the one it was told to.

Threads that share a GIL change at these places only. Without the GIL another thread may come in between any two
instructions; of those only the ones that touch what threads share tell it apart from having come one earlier.
"""

from __future__ import annotations

import dis
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arenas.system import FREE_THREADED

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from tests.threads._interleave import interleave

_HERE = str(Path(__file__).resolve().parent)
_LOOKS = {"RESUME", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD"}
_ACCESSES = {
    *("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "CONTAINS_OP", "FOR_ITER"),
    *("BINARY_SUBSCR", "BINARY_OP", "STORE_SUBSCR", "DELETE_SUBSCR", "CALL", "CALL_KW", "CALL_FUNCTION_EX"),
}


@functools.cache
def _looks(code: CodeType) -> frozenset[int]:
    """Offsets of the instructions at whose end the interpreter looks for something to deliver."""
    return frozenset(
        instruction.offset
        for instruction in dis.get_instructions(code)
        if instruction.opname in _LOOKS or instruction.opname.startswith("POP_JUMP_BACKWARD")
    )


@functools.cache
def _accesses(code: CodeType) -> frozenset[int]:
    """Offsets of the instructions that may read or change what other threads see."""
    return frozenset(
        instruction.offset for instruction in dis.get_instructions(code) if instruction.opname in _ACCESSES
    )


@functools.cache
def _handler(code: CodeType, offset: int) -> int | None:
    """Where an exception raised by an instruction is handled."""
    entries = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    return next((entry.target for entry in entries if entry.start <= offset < entry.end), None)


class Points:
    """Traces one operation, notes its points, and calls ``act`` at number ``index``; ``None``: only notes them."""

    def __init__(
        self,
        index: int | None = None,
        act: Callable[[], object] = lambda: None,
        *,
        open_to_others: Callable[[CodeType], bool] | None = None,
    ) -> None:
        """``open_to_others``: not where interrupts are delivered, but wherever it says of the code that others may
        act.
        """
        self.seen: list[interleave.Point] = []
        self.reached = False
        self._index = index
        self._act = act
        self._open_to_others = open_to_others
        self._tracer = self._on_call  # kept: an interpreter does not hold on to what it is told to forget while it runs

    def run(self, operation: Callable[[], object]) -> None:
        """The operation, traced in this thread. Raises what it raises, or ``act`` does."""
        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # 3.12 counts instructions only if it was asked before it traces
        sys.settrace(self._tracer)
        try:
            operation()
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename.startswith((_HERE, "<frozen")):
            return None
        last: int | None = None  # the frame's instruction before this one; None: it begins, or goes on after a yield

        def on_instruction(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal last
            if event == "opcode":
                if self._is_point(code, last, frame.f_lasti):
                    self._reach(code, frame.f_lasti)
                last = frame.f_lasti
            return on_instruction

        frame.f_trace = on_instruction
        frame.f_trace_opcodes = True
        return on_instruction

    def _is_point(self, code: CodeType, last: int | None, offset: int) -> bool:
        if self._open_to_others is not None:
            here = offset in _accesses(code) if FREE_THREADED else last is None or last in _looks(code)
            return here and self._open_to_others(code)
        # Delivered, the exception would belong to the instruction before: so only where both are handled alike.
        return last is None or (last in _looks(code) and _handler(code, last) == _handler(code, offset))

    def _reach(self, code: CodeType, offset: int) -> None:
        if self.reached:
            return
        self.seen.append((code, offset))
        if self._index == len(self.seen) - 1:
            self.reached = True
            sys.settrace(None)
            self._act()
