"""Misuse: each kind is caught by name, and where one is not, the run says which."""

from __future__ import annotations

import ctypes
import functools
import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest
from _allocators import Sound
from _on_purpose import Refusing, Upon, real
from _package import module

import arenas

if TYPE_CHECKING:
    from collections.abc import Callable

addresses = module("workloads.misuse.addresses")
case = module("workloads.misuse.case")
client = module("client")
errors = module("errors")
handles = module("workloads.misuse.handles")
mishaps = module("mishaps")
misuse = module("workloads.misuse")
planted = module("workloads.misuse.planted")
protocol = module("allocators.protocol")
registry = module("allocators.registry")
runner = module("run")
suspects = module("suspects")

HARMLESS = {each.name for each in misuse.CASES if each.outcome == case.NOTHING}
BY_ERROR = {each.name for each in handles.CASES + addresses.CASES} - HARMLESS


def run(make: Callable[[], Any] = real, **terms: Any) -> Any:
    given = {"threads": 1, "scale": 0.01, "seed": 3, "seconds": 1e-9} | terms
    return runner.run(misuse.WORKLOAD, make(), runner.Terms(**given), another=make)


def complaints(result: Any) -> set[str]:
    """Of which cases it complains."""
    return {name for name in (each.name for each in misuse.CASES) if any(f": {name}: " in one for one in result)}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every fault in words, however many there are."""
    every: list[str] = []
    faults = module("faults")
    add = faults.Faults.add

    def listen(self: Any, description: str, kind: Any = faults.Kind.CORRUPTION) -> None:
        every.append(f"{kind}: {description}")
        add(self, description, kind)

    monkeypatch.setattr(faults.Faults, "add", listen)
    return every


@pytest.mark.parametrize("face", ["blocks", "malloc"])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_misuse_is_caught(face: str, threads: int) -> None:
    result = run(lambda: real(face), threads=threads)
    assert result.clean, result.complaints()
    assert result.notes == [f"{len(misuse.CASES)} kinds of misuse, played {threads * len(misuse.CASES)} times"]
    assert result.operations > len(misuse.CASES) * threads


def test_names_are_distinct() -> None:
    assert len({each.name for each in misuse.CASES}) == len(misuse.CASES)


def forgiving(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, without its errors."""

    @functools.wraps(function)
    def forgive(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except (arenas.ArenaError, TypeError, BufferError):
            return None

    return forgive


class _Endless:
    """A view without an end."""

    def __setitem__(self, where: Any, what: Any) -> None:
        pass

    def __getitem__(self, where: Any) -> bytes:
        return b""

    def __bytes__(self) -> bytes:
        return bytes(1)

    def release(self) -> None:
        pass


def test_each_error_is_missed_when_it_is_not_raised(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A heap that forgives everything is complained of once for each case that expects an error."""
    for kind, names in (
        (arenas.Heap, ("alloc", "malloc", "calloc", "aligned_alloc", "realloc", "free")),
        (arenas.Block, ("free", "resize")),
        (arenas.Scope, ("alloc",)),
    ):
        for name in names:
            monkeypatch.setattr(kind, name, forgiving(getattr(kind, name)))
    for name in ("address", "size"):
        monkeypatch.setattr(arenas.Block, name, property(forgiving(getattr(arenas.Block, name).fget)))
    monkeypatch.setattr(arenas.Block, "view", property(lambda _block: _Endless()))
    monkeypatch.setattr(arenas.Block, "__reduce__", lambda _block: (str, ()))
    assert not run().clean
    assert complaints(told) >= BY_ERROR


def test_a_free_that_accepts_doubles_is_named(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def accept(free: Callable[[Any], None]) -> Callable[[Any], None]:
        def twice(block: Any) -> None:
            if not block.released:
                free(block)

        return twice

    monkeypatch.setattr(arenas.Block, "free", accept(arenas.Block.free))
    result = run()
    assert result.fault_kinds == {"misuse not caught": 7}
    assert "misuse not caught: a block freed twice: nothing, where DoubleFreeError was expected" in told
    assert complaints(told) == {
        "a block freed twice",
        "a block freed again when its memory is another's",
        "a block freed by two threads at once",
        "a block freed after reset",
        "a block freed after its scope",
        "a block freed after close",
        "a block of no bytes freed twice",
    }


def test_an_error_of_another_name_is_named(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def vague(free: Callable[..., None]) -> Callable[..., None]:
        def act(heap: Any, address: Any) -> None:
            try:
                free(heap, address)
            except arenas.InvalidFreeError as error:
                raise arenas.InvalidFreeError(str(error)) from None

        return act

    monkeypatch.setattr(arenas.Heap, "free", vague(arenas.Heap.free))
    run()
    assert "misuse not caught: free of 0: InvalidFreeError, where ForeignAddressError was expected" in told


def test_errors_without_numbers_are_named(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(malloc: Callable[..., int]) -> Callable[..., int]:
        def act(heap: Any, size: Any) -> int:
            try:
                return malloc(heap, size)
            except arenas.OutOfMemoryError:
                raise arenas.OutOfMemoryError("no memory") from None

        return act

    monkeypatch.setattr(arenas.Heap, "malloc", mute(arenas.Heap.malloc))
    run()
    assert complaints([one for one in told if "OutOfMemoryError without a number" in one]) == {
        "malloc over the limit",
        "malloc of more than there is",
    }


@pytest.mark.parametrize(
    ("kind", "method", "broken", "name"),
    [
        (arenas.Heap, "free", lambda free: lambda heap, what: free(heap, what or 0), "free of None"),
        (arenas.Heap, "close", lambda close: lambda heap: heap.stats() and close(heap), "close after close"),
        (arenas.Heap, "malloc", lambda malloc: lambda heap, size: malloc(heap, size) if size else 64, "two addresses"),
        (arenas.Block, "address", lambda address: property(lambda _block: 64), "two blocks of no bytes"),
    ],
)
def test_what_is_harmless_must_not_raise(  # noqa: PLR0917 - what is broken, and how
    told: list[str], monkeypatch: pytest.MonkeyPatch, kind: type, method: str, broken: Any, name: str
) -> None:
    monkeypatch.setattr(kind, method, broken(getattr(kind, method)))
    heap = arenas.Heap()
    wanted = next(each for each in misuse.CASES if each.name.startswith(name))
    (complaint, *_) = case.Scene(None, heap).play(wanted) or [""]
    assert complaint.endswith("where nothing was expected")
    del told


def test_planted_faults_must_be_reported_by_their_names(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A referee that suspects nobody misses all but the write of which nobody is suspected."""
    faults = module("faults")
    monkeypatch.setattr(suspects, "of", lambda *_arguments: (faults.Kind.CORRUPTION, ""))
    result = run()
    names = {each.name for each in planted.CASES if each.outcome != "corruption"}
    assert complaints([one for one in told if "corruption, where" in one]) == names
    assert result.fault_kinds == {"misuse not caught": 3}


def test_planted_faults_name_the_block(told: list[str]) -> None:
    run()
    words = ("overrun of block", "underrun of block", "written after free: block")
    assert all(any(word in one for one in told) for word in words)
    assert not any(one.startswith("misuse") for one in told)


def test_a_misuse_that_harms_another_block_is_noticed(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused free that writes all over the heap."""

    def careless(free: Callable[..., None]) -> Callable[..., None]:
        def act(heap: Any, address: Any) -> None:
            try:
                free(heap, address)
            except arenas.DoubleFreeError:
                for span in heap.snapshot().spans:
                    if span.state == "live":
                        ctypes.memset(span.address, 0, min(span.size, 8))
                raise

        return act

    monkeypatch.setattr(arenas.Heap, "free", careless(arenas.Heap.free))
    run(lambda: Upon(real()))
    assert any("is looked at after 'an address freed twice'" in one for one in told)


def test_a_misuse_that_leaves_the_books_changed_is_noticed(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def leaking(calloc: Callable[..., int]) -> Callable[..., int]:
        def act(heap: Any, count: int, size: int) -> int:
            heap.malloc(10)
            return calloc(heap, count, size)

        return act

    monkeypatch.setattr(arenas.Heap, "calloc", leaking(arenas.Heap.calloc))
    run()
    assert any("calloc of a negative count: live_bytes was" in one for one in told)


def test_deaths_are_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the thread itself, and in the middle of what it plants."""
    calls = itertools.count(1)

    def mortal(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if threading.current_thread().name == "stress" and next(calls) % 97 == 0:
                raise errors.ThreadDiedError
            return method(*arguments, **named)

        return call

    for verb in ("allocate", "free"):
        monkeypatch.setattr(client.Client, verb, mortal(getattr(client.Client, verb)))
    result = run(threads=3, seconds=0.1)
    assert result.clean, result.complaints()
    assert any("died on purpose" in note for note in result.notes)


def test_refusals_are_survived() -> None:
    result = run(lambda: Refusing(real()), threads=2, may_refuse=True)
    assert result.clean, result.complaints()
    assert result.refused


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit_bytes": 1 << 13},
        {"limit_bytes": 1 << 17},
        {"limit_bytes": 1 << 17, "fail_rate": 0.5, "seed": 486_297_403},  # of a new heap the very first request
    ],
    ids=str,
)
def test_where_memory_is_short_the_errors_are_the_same(wrong: dict[str, Any]) -> None:
    """Regions are then as short as can be: what lies behind them is another's."""
    troubled = mishaps.Mishaps(**wrong)
    choice = protocol.Choice(allocator="malloc", arenas=8, mishaps=troubled)
    result = run(lambda: registry.open_allocator(choice), mishaps=troubled)
    assert result.clean, result.complaints()


class Trusting(Sound):
    """Frees what it has freed, and dies of what it has never seen."""

    def free(self, token: int) -> None:
        if token not in self.live and token % 16:
            ctypes.string_at(0)
        self.live.pop(token, None)


class Strict(Sound):
    """Aborts, as C's allocators do."""

    def free(self, token: int) -> None:
        if token not in self.live:
            ctypes.CDLL(None).abort()
        super().free(token)


def test_peers_are_told_of() -> None:
    result = run(Trusting)
    assert result.notes[0] == "double free: accepted silently"
    assert "free of a block's middle: killed by SIGSEGV" in result.notes
    assert any(note.startswith("resize after free: KeyError") for note in result.notes)
    assert result.fault_kinds["misuse not caught"] >= 2
    assert "misuse not caught: double free: accepted silently" in result.descriptions


@pytest.mark.parametrize("wrong", [{"fail_nth": 1}, {"fail_nth": 3}, {"fail_rate": 1.0}], ids=str)
@pytest.mark.parametrize("name", ["bytearray", "_pools:Plain"])
def test_a_peer_is_refused_nothing_on_purpose(name: str, wrong: dict[str, Any]) -> None:
    """It would not be the peer that has failed, or that has noticed something."""

    def told_of(troubled: Any) -> list[str]:
        choice = protocol.Choice(allocator=name, mishaps=troubled)
        result = run(lambda: registry.open_allocator(choice), mishaps=troubled)
        assert result.failure is None
        notes: list[str] = result.notes
        return notes

    assert told_of(mishaps.Mishaps(**wrong)) == told_of(mishaps.NONE)


def test_an_abort_is_a_way_to_say_it() -> None:
    result = run(Strict)
    assert result.notes[0] == "double free: killed by SIGABRT"
    assert not any("free" in one for one in result.descriptions)


def test_a_peer_of_which_there_is_but_one_is_left_out() -> None:
    result = runner.run(misuse.WORKLOAD, Sound(), runner.Terms(seconds=0.01, seed=1))
    assert result.left_out
