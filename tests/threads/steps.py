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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import arenas
from arenas.system import FREE_THREADED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_PACKAGE = str(Path(arenas.__file__).parent)
_TESTS = tuple(str(Path(__file__).parent / name) for name in ("protocols", "test_"))
# Calls (a single step of a dict, a list, a deque or a lock is one into C), subscripts, iteration, entering a `with`.
_SHARED = {
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
_ASKS = ("POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE", "POP_JUMP_FORWARD_IF_", "POP_JUMP_BACKWARD_IF_", "JUMP_IF_")
_BOOLS = {"COMPARE_OP", "CONTAINS_OP", "IS_OP", "TO_BOOL", "UNARY_NOT"}
# Two stores without a call between them are one step where there is a GIL, which docs/design.md assumes.
_STORES = ("STORE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR")
_LOOKS = ("CALL", "JUMP_", "POP_JUMP_", "RESUME", "SEND", "FOR_ITER", "BEFORE_WITH")


# By id, each with the code itself, so that it stays: the hash of code is slow, and code of two places may be equal.
_known: dict[int, tuple[frozenset[int], CodeType]] = {}


def steps(code: CodeType) -> frozenset[int]:
    """Offsets of the instructions that touch something shared, in code of the package and of protocols; else none."""
    known = _known.get(id(code))
    if known is None:
        ours = code.co_filename.startswith((_PACKAGE, *_TESTS))
        known = _known[id(code)] = _steps(code) if ours else frozenset(), code
    return known[0]


def _steps(code: CodeType) -> frozenset[int]:
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
        return not code.co_filename.startswith(_PACKAGE) or instruction.argval in _stored()
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
