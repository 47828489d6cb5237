"""Every workload, on allocators sound and broken: it does what it promises, and leaves nothing behind."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import random
import statistics
import sys
import threading
from pathlib import Path
from typing import Any

import _allocators
import pytest
from _allocators import Sound
from _package import module

client = module("client")
errors = module("errors")
registry = module("allocators.registry")
protocol = module("allocators.protocol")
runner = module("run")
stage = module("stage")
workloads = module("workloads")

ROOM = 1 << 30
"""Bytes that `Sound` may bump its way through; only what is touched costs memory."""
NAMES = [name for name in workloads.WORKLOADS if name != "misuse"]  # which needs an allocator of its own making
ENOUGH = 400
"""Operations, after which a workload is told to stop: how far one comes in a given time is anybody's guess."""


def roomy(kind: type[Sound]) -> Any:
    """An allocator with room for whatever a workload does in a short while."""
    allocator = kind()
    memory = mmap.mmap(-1, ROOM)
    buffer = (ctypes.c_char * ROOM).from_buffer(memory)
    allocator._buffer = buffer
    allocator._next = ctypes.addressof(buffer)
    return allocator


def real(name: str = "blocks") -> Any:
    return registry.open_allocator(protocol.Choice(allocator=name))


def run(name: str, allocator: Any, *, operations: int = ENOUGH, **terms: Any) -> Any:
    given = {"threads": None, "scale": 0.02, "seed": 7, "seconds": operations} | terms
    return runner.run(workloads.WORKLOADS[name], allocator, runner.Terms(**given))


@pytest.fixture(autouse=True)
def operations_for_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes with operations."""

    def going(self: Any) -> bool:
        done: int = sum(each.operations for each in list(self.referee.clients))
        return not self._aborted and done < self._seconds

    monkeypatch.setattr(stage.Stage, "going", property(going))


class Watched(Sound):
    """Notes who asks for what."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[threading.Thread, None] = {}  # the objects: their numbers are used again
        self.sizes: list[int] = []
        self.alignments: list[int] = []
        self.most_live = 0

    def allocate(self, size: int, alignment: int) -> int:
        self.threads[threading.current_thread()] = None
        self.sizes.append(size)
        self.alignments.append(alignment)
        address = super().allocate(size, alignment)
        self.most_live = max(self.most_live, len(self.live))
        return address


class Keeps(Sound):
    """Forgets every second free."""

    def __init__(self) -> None:
        super().__init__()
        self._frees = itertools.count()

    def free(self, token: int) -> None:
        if next(self._frees) % 2:
            super().free(token)


class Fails(Sound):
    """Falls over after a while."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = itertools.count()

    def allocate(self, size: int, alignment: int) -> int:
        if next(self._calls) == 40:
            raise RuntimeError("fell over")
        return super().allocate(size, alignment)


class Refuses(Sound):
    """Has no memory for every third request."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = itertools.count()

    def allocate(self, size: int, alignment: int) -> int:
        if next(self._calls) % 3 == 2:
            raise MemoryError
        return super().allocate(size, alignment)


class Hoards(Sound):
    """Reserves something for each thread that ever was."""

    def __init__(self) -> None:
        super().__init__()
        self._threads: dict[threading.Thread, None] = {}

    def allocate(self, size: int, alignment: int) -> int:
        self._threads[threading.current_thread()] = None
        return super().allocate(size, alignment)

    def measure(self) -> Any:
        with self._lock:
            live_bytes = sum(self.live.values())
            return protocol.Memory(
                live_blocks=len(self.live),
                live_bytes=live_bytes,
                reserved_bytes=live_bytes + (len(self._threads) << 16),
            )


@pytest.fixture
def nothing_left_open() -> Any:
    """No thread of a run is left, nor an open file."""
    before = sorted(Path("/proc/self/fd").iterdir())
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "stress"]
    assert len(list(Path("/proc/self/fd").iterdir())) <= len(before)


@pytest.mark.usefixtures("nothing_left_open")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("allocator", "threads", "scale"), [("blocks", 2, 0.05), ("malloc", 5, 0.01)])
def test_on_a_heap(name: str, allocator: str, threads: int, scale: float) -> None:
    result = run(name, real(allocator), threads=threads, scale=scale)
    assert result.clean, result.complaints()
    assert result.allocations
    assert result.leaked_blocks == 0


@pytest.mark.parametrize("name", NAMES)
def test_without_time_there_is_one_round(name: str) -> None:
    allocator = roomy(Sound)
    result = run(name, allocator, threads=1, scale=0.01, operations=0)
    assert result.clean, result.complaints()
    assert result.allocations
    assert not allocator.live
    assert allocator.closed


@pytest.mark.parametrize("name", NAMES)
def test_overlapping_blocks_are_found(name: str) -> None:
    result = run(name, roomy(_allocators.Overlapping), threads=2)
    assert not result.clean
    assert result.faults


@pytest.mark.parametrize("name", NAMES)
def test_leaks_are_found(name: str) -> None:
    result = run(name, roomy(Keeps), threads=2)
    assert result.leaked_blocks


@pytest.mark.usefixtures("nothing_left_open")
@pytest.mark.parametrize("name", NAMES)
def test_one_failing_thread_lets_the_others_go(name: str) -> None:
    result = run(name, roomy(Fails), operations=10**9)
    assert "fell over" in result.failure


@pytest.mark.usefixtures("nothing_left_open")
@pytest.mark.parametrize("name", NAMES)
def test_refusals_are_part_of_the_game(name: str) -> None:
    result = run(name, roomy(Refuses), may_refuse=True)
    assert result.clean, result.complaints()
    assert result.refused


@pytest.mark.usefixtures("nothing_left_open")
@pytest.mark.parametrize("name", NAMES)
def test_threads_may_die(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each seventeenth call of a client is its thread's last; the next one goes on in its place."""
    calls = itertools.count(1)

    def mortal(method: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            if threading.current_thread().name == "stress" and next(calls) % 17 == 0:
                raise errors.ThreadDiedError
            return method(*arguments, **named)

        return call

    for verb in ("allocate", "zeroed", "resize", "free"):
        monkeypatch.setattr(client.Client, verb, mortal(getattr(client.Client, verb)))
    result = run(name, roomy(Sound), threads=3)
    assert result.clean, result.complaints()
    assert "threads died on purpose" in result.notes[-1]


@pytest.mark.parametrize(("name", "least"), [("larson", 4 * 3), ("mstress", 4 * 2), ("mleak", 10 * 10), ("rptest", 5)])
def test_threads_succeed_each_other(name: str, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("workloads.rptest"), "RUNS", 3)
    allocator = roomy(Watched)
    result = run(name, allocator, operations=2000)
    assert result.clean, result.complaints()
    assert len(allocator.threads) > least


@pytest.mark.parametrize("name", ["larson", "mstress", "rptest", "mleak", "message-passing"])
def test_blocks_are_freed_by_other_threads(name: str) -> None:
    result = run(name, roomy(Sound), operations=2000)
    assert result.clean, result.complaints()
    assert result.remote_frees


def test_xmalloc_frees_every_block_remotely() -> None:
    result = run("xmalloc-test", roomy(Sound))
    assert result.allocations == result.frees == result.remote_frees > 4
    assert result.left_live == 0


def test_xmalloc_sizes() -> None:
    sizes = module("workloads.xmalloc_test").SIZES
    assert len(sizes) == 17
    assert (sizes[:6], sizes[-2:]) == ((8, 12, 16, 24, 32, 48), (1536, 2048))


class Slow(list[Any]):
    """A list that leaves others much time between a read and what follows."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        for _ in range(300):
            pass
        return found


def test_slots_lose_nothing_and_double_nothing() -> None:
    """Whatever was put in comes out once, however many exchange at once."""
    slots = module("workloads.slots").Slots(1)
    slots._held = Slow(slots._held)
    out: list[list[Any]] = [[] for _ in range(4)]
    barrier = threading.Barrier(4)

    def exchange(number: int) -> None:
        barrier.wait()
        for turn in range(1000):
            out[number].append(slots.exchange(0, (number, turn)))

    threads = [threading.Thread(target=exchange, args=(number,)) for number in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    came_out = [each for each in itertools.chain(*out, [slots.exchange(0, None)]) if each is not None]
    assert sorted(came_out) == [(number, turn) for number in range(4) for turn in range(1000)]


def test_mstress_keeps_half_of_its_slots_between_rounds() -> None:
    """What a round leaves in the slots is freed by the main thread, or by threads of later rounds."""
    result = run("mstress", roomy(Sound), operations=2000)
    assert result.left_live > 0
    assert result.left_live <= 20


def test_rptest_sizes_drop_off() -> None:
    allocator = roomy(Watched)
    assert run("rptest", allocator, scale=0.1, operations=2000).clean
    assert 8 <= min(allocator.sizes) < max(allocator.sizes) <= 16_000
    assert statistics.mean(allocator.sizes) < 4000 < 16_000 / 4 + 1
    assert set(allocator.alignments) == {0, 8, 16}


def test_alloc_test_draws_by_pareto() -> None:
    alloc_test = module("workloads.alloc_test")
    numbers = random.Random(1)
    draws = [alloc_test.draw(numbers, 1000) for _ in range(5000)]
    assert set(draws) <= set(range(1000))
    assert 0.77 < sum(slot < 200 for slot in draws) / 5000 < 0.83
    assert {alloc_test.draw(numbers, 1) for _ in range(50)} == {0}
    sizes = [alloc_test.draw_size(numbers) for _ in range(5000)]
    assert (min(sizes), max(sizes) > 900, max(sizes) <= 1024) == (5, True, True)
    assert 0.45 < sum(size <= 8 for size in sizes) / 5000 < 0.55


def test_glibc_thread_sizes_are_inverse_squares() -> None:
    draw_size = module("workloads.glibc_thread").draw_size
    numbers = random.Random(1)
    sizes = [draw_size(numbers) for _ in range(5000)]
    assert 4 <= min(sizes) < max(sizes) <= 32_768
    assert 0.45 < sum(size < 8 for size in sizes) / 5000 < 0.55
    assert 0.72 < sum(size < 16 for size in sizes) / 5000 < 0.78


def test_malloc_large_shares_its_slots() -> None:
    allocator = roomy(Watched)
    assert run("malloc-large", allocator, threads=4).clean
    assert allocator.most_live <= 20 + 4
    assert min(allocator.sizes) >= 0.02 * (5 << 20) - 1
    assert max(allocator.sizes) <= 0.02 * (25 << 20) + 1


def test_mleak_is_flat_on_a_heap() -> None:
    result = run("mleak", real(), operations=2000)
    assert result.clean, result.complaints()


def test_mleak_tells_an_allocator_that_keeps_something_of_each_thread() -> None:
    result = run("mleak", roomy(Hoards), threads=4, operations=1000)
    assert result.faults == 1
    assert "reserved memory grew from" in result.descriptions[0]
    assert "bytes live" in result.descriptions[0]


def test_proxies_resize_messages() -> None:
    result = run("message-passing", roomy(Sound))
    assert result.clean
    assert result.resizes
    assert result.allocations == result.frees


def test_sockets_need_memory() -> None:
    allocator = roomy(Sound)
    allocator.has_memory = False
    result = run("sockets", allocator)
    assert result.left_out
    assert "without memory" in result.notes[0]


@pytest.mark.parametrize("name", ["sockets", "frames"])
@pytest.mark.parametrize("alignment", [128, 4096])
def test_an_alignment_that_is_not_kept_shows(name: str, alignment: int) -> None:
    """Somebody has to ask for more than an allocator gives anyway."""

    class Beside(Sound):
        def allocate(self, size: int, wanted: int) -> int:
            beside = alignment // 2 if wanted == alignment else 0
            address = super().allocate(size + beside, wanted)
            self.live[address + beside] = size
            if beside:
                del self.live[address]
            return address + beside

    found = [run(name, allocator).fault_kinds for allocator in (roomy(Sound), roomy(Beside))]
    assert found[0] == {}
    assert found[1].keys() == {"misaligned"}


def test_sockets_find_what_the_system_got_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is told where a message begins in the noise, and looks for every byte of it."""
    sockets = module("workloads.sockets")
    fill = sockets._fill

    def spoil(connection: Any, memory: memoryview) -> None:
        fill(connection, memory)
        if len(memory) > sockets.HEADER.size:
            memory[-1] ^= 1

    monkeypatch.setattr(sockets, "_fill", spoil)
    result = run("sockets", roomy(Sound), scale=1)
    assert any("has received: from byte" in fault for fault in result.descriptions)


def test_a_server_that_dies_after_its_last_answer_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread in its place must hear that nobody will come any more."""
    free = client.Client.free
    deaths: list[None] = []

    def mortal(self: Any, held: Any) -> None:
        if self.number == 0 and not deaths:  # the server's first block, which has been sent back
            deaths.append(None)
            raise errors.ThreadDiedError
        free(self, held)

    monkeypatch.setattr(client.Client, "free", mortal)
    result = run("sockets", roomy(Sound), threads=1, operations=0)
    assert result.clean, result.complaints()
    assert deaths


def test_clients_are_used_again_by_each_play() -> None:
    """Hundreds of generations do not make hundreds of clients, each of which every operation would have to ask."""
    allocator = roomy(Watched)
    counted: list[int] = []
    play = workloads.WORKLOADS["mleak"].play

    def counting(stage: Any) -> None:
        play(stage)
        counted.append(len(stage.referee.clients))

    runner.run(
        module("workloads.model").Workload("x", "", "", counting),
        allocator,
        runner.Terms(seconds=ENOUGH, seed=1, scale=0.02),
    )
    assert counted == [4]
    assert len(allocator.threads) > 40
