"""Where one thread's next step could matter to another: the instructions before which a search may switch threads.

Two threads disturb each other only through what they share. An instruction that works on locals, or reads an attribute
that nothing stores to once its object is made, comes to the same before and after whatever another thread does; so
switching before the next instruction that does touch something shared is enough.
"""

from __future__ import annotations

import dis
import functools
import importlib.util
import pkgutil
from typing import TYPE_CHECKING, Any, Final

import arenas
from arenas.system import FREE_THREADED

from .points import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

# Calls (a single step of a dict, a list, a deque or a lock is one into C), subscripts, iteration, entering a `with`.
_SHARED: Final = {
    "BEFORE_WITH",
    "BINARY_SLICE",
    "BINARY_SUBSCR",
    "CALL",
    "CALL_FUNCTION_EX",
    "CALL_KW",
    "CONTAINS_OP",
    "DELETE_ATTR",
    "DELETE_SUBSCR",
    "DICT_UPDATE",
    "FOR_ITER",
    "GET_ITER",
    "LIST_EXTEND",
    "LOAD_SPECIAL",
    "SET_UPDATE",
    "STORE_ATTR",
    "STORE_SLICE",
    "STORE_SUBSCR",
    "TO_BOOL",
    "UNARY_NOT",
    "WITH_EXCEPT_START",
}
# What asks for a truth value, and so for the length of a shared container; and what leaves a bool, which is nobody's.
_ASKS: Final = ("POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE", "POP_JUMP_FORWARD_IF_", "POP_JUMP_BACKWARD_IF_", "JUMP_IF_")
_BOOLS: Final = {"COMPARE_OP", "CONTAINS_OP", "IS_OP", "TO_BOOL", "UNARY_NOT"}
# Two stores without a call between them are one step where there is a GIL, which docs/design.md assumes.
_STORES: Final = ("STORE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR")
_LOOKS: Final = ("CALL", "JUMP_", "POP_JUMP_", "RESUME", "SEND", "FOR_ITER", "BEFORE_WITH")


# By id, each with the code itself, so that it stays: the hash of code is slow, and code of two places may be equal.
_found: Final[dict[int, tuple[frozenset[int], CodeType]]] = {}


class Steps:
    """Where code has steps: the package's, and that of some files more."""

    def __init__(self, files: Iterable[str]) -> None:
        """``files``: how the names of those files begin, a protocol's own above all."""
        self._ours = (PACKAGE, *files)
        self._known: dict[int, tuple[frozenset[int], CodeType]] = {}

    def of(self, code: CodeType) -> frozenset[int]:
        """Offsets of the instructions that touch something shared; none in code of others."""
        known = self._known.get(id(code))
        if known is None:
            ours = code.co_filename.startswith(self._ours)
            known = self._known[id(code)] = _steps(code) if ours else frozenset(), code
        return known[0]


def _steps(code: CodeType) -> frozenset[int]:
    found = _found.get(id(code))
    if found is None:
        found = _found[id(code)] = _look_for_steps(code), code
    return found[0]


def _look_for_steps(code: CodeType) -> frozenset[int]:
    found = set()
    before: dis.Instruction | None = None
    since_store: set[int] | None = None  # steps after a store, with nothing in between where the GIL could change hands
    for instruction in dis.get_instructions(code):
        name = instruction.opname
        if instruction.is_jump_target:
            since_store = None
        if _touches(instruction, before, code):
            found.add(instruction.offset)
            if since_store is not None:
                since_store.add(instruction.offset)
        if name.startswith(_STORES):
            found -= since_store or set()
            since_store = None if FREE_THREADED else set()
        elif name.startswith(_LOOKS):
            since_store = None
        if name != "EXTENDED_ARG":
            before = instruction
    return frozenset(found)


def _touches(instruction: dis.Instruction, before: dis.Instruction | None, code: CodeType) -> bool:
    name = instruction.opname
    if name in {"LOAD_ATTR", "LOAD_METHOD"}:
        return not code.co_filename.startswith(PACKAGE) or instruction.argval in _stored()
    if name.startswith(_ASKS) and "NONE" not in name:
        return before is not None and before.opname not in _BOOLS
    return name in _SHARED or (name == "BINARY_OP" and instruction.argrepr.endswith("="))


@functools.cache
def _stored() -> frozenset[str]:
    """Names of the attributes that some function of the package stores to, a constructor's own excepted."""
    found = set()
    for module in pkgutil.walk_packages(arenas.__path__, "arenas."):
        spec = importlib.util.find_spec(module.name)
        assert spec is not None
        loader: Any = spec.loader
        for code in _codes(loader.get_code(module.name)):
            before: Any = None
            for instruction in dis.get_instructions(code):
                own = code.co_name == "__init__" and before == "self"
                if instruction.opname in {"STORE_ATTR", "DELETE_ATTR"} and not own:
                    found.add(instruction.argval)
                # Of instructions that load two locals the second is on top.
                value = instruction.argval
                before = value[-1] if isinstance(value, tuple) and value else value
    return frozenset(found)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from _codes(constant)
