"""Every allocator keeps to the seam: one suite over all of them. What a pool may lack is made up for, and what it does
wrong is named.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _pools
import pytest
from _package import NAME, module
from _runs import act, play

if TYPE_CHECKING:
    from collections.abc import Iterator

adapted = module("allocators.adapted")
cli = module("cli")
errors = module("errors")
mishaps = module("mishaps")
protocol = module("allocators.protocol")
registry = module("allocators.registry")

EXAMPLE = f"{NAME}.examples.slab_pool:make"
ALL = [*registry.names(), EXAMPLE, "_pools:Plain", "_pools:Leaning"]
SIZES = (0, 1, 7, 100, 3000, 5000, 70_000, 0, 2_000_000, 64, 0)
ALIGNMENTS = (0, 1, 64, 4096)


def choice(name: str, **options: Any) -> Any:
    return protocol.Choice(allocator=name, **options)


def words(rest: str) -> list[str]:
    return rest.split()


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Any]:
    allocator = registry.open_allocator(choice(request.param))
    yield allocator
    allocator.close()


def everything(stage: Any) -> None:
    """Each kind of request, of all sizes and alignments; half of the blocks change threads before they are freed."""
    channel = stage.channel()

    def first(client: Any) -> None:
        for size in SIZES:
            for alignment in ALIGNMENTS:
                held = client.allocate(size, alignment)
                client.resize(held, size // 2)
                client.resize(held, size * 2 + 1)
                channel.put(held)
            channel.put(client.zeroed(size))
        channel.put(None)

    def second(client: Any) -> None:
        for number, held in enumerate(iter(channel.get, None)):
            client.resize(held, 0)
            client.resize(held, number)
            if number % 4:
                client.free(held)

    stage.play(first, second)


@pytest.mark.parametrize("name", ALL)
def test_it_keeps_to_the_seam(name: str) -> None:
    result = play(everything, registry.open_allocator(choice(name)))
    assert result.complaints() == []
    assert result.clean
    assert (result.allocations, result.resizes, result.left_live) == (55, 198, 14)
    assert result.refused == 0


@pytest.mark.parametrize("opened", ALL, indirect=True)
def test_blocks_are_where_they_should_be(opened: Any) -> None:
    """Also those of no bytes: each has an address of its own."""
    tokens = [opened.allocate(0, 0) for _ in range(5)] + [opened.allocate(1, 0) for _ in range(5)]
    addresses = [opened.address(token) for token in tokens]
    assert len(set(addresses)) == 10
    assert all(address % opened.alignment == 0 for address in addresses)
    aligned = opened.allocate(100, 1 << 14)
    assert opened.address(aligned) % (1 << 14) == 0
    for token in (*tokens, aligned):
        opened.free(token)


@pytest.mark.parametrize("opened", ALL, indirect=True)
def test_it_tells_what_it_can(opened: Any) -> None:
    token = opened.allocate(1000, 0)
    memory = opened.measure()
    assert memory.live_blocks in {1, None}
    assert memory.live_bytes in {1000, None}
    assert memory.allocations in {1, None}
    opened.free(token)
    gc.collect()
    assert opened.measure().live_blocks in {0, None}
    assert opened.measure().frees in {1, None}
    assert opened.check() is None
    assert opened.audit() == []


@pytest.mark.parametrize("name", ALL)
def test_what_is_refused_changes_nothing(name: str) -> None:
    """Nine of ten requests fail, somewhere below: the books agree all the same."""
    if registry.is_bounded(name):
        with pytest.raises(errors.UsageError, match="takes all its memory at once"):
            registry.require(choice(name, mishaps=mishaps.Mishaps(fail_rate=0.2)))
        return
    troubled = mishaps.Mishaps(fail_rate=0.9, seed=3)

    def body(client: Any) -> None:
        kept = [client.allocate(size) for size in SIZES * 2]
        for held in kept:
            if held is not None:
                client.resize(held, held.size + 200_000)

    result = act(registry.open_allocator(choice(name, mishaps=troubled)), body, body, mishaps=troubled)
    assert result.complaints() == []
    assert result.refused > 0
    assert result.resizes + result.refused == 4 * len(SIZES)


@pytest.mark.parametrize("name", [name for name in registry.names() if registry.is_heap(name)])
@pytest.mark.parametrize("arenas", [1, 3])
def test_a_heap_routes_as_it_is_told(name: str, arenas: int) -> None:
    picked = choice(name, arenas=arenas)
    opened = registry.open_allocator(picked)
    assert len(opened.heap.stats().arenas) == arenas
    assert registry.routing(picked) == str(arenas)
    assert play(everything, opened).complaints() == []


def test_routing_is_told_as_it_is() -> None:
    assert registry.routing(choice("blocks")) == "thread"
    assert registry.routing(choice("file")) == "1"
    assert registry.routing(choice("numpy")) is None


# The faces of a heap


def test_dropped_blocks_come_back_some_only_from_the_collector() -> None:
    face = registry.open_allocator(choice("drops"))
    gc.disable()
    try:
        for token in [face.allocate(64, 0) for _ in range(100)]:
            face.free(token)
        left = face.measure().live_blocks
    finally:
        gc.enable()
    assert 0 < left < 100
    gc.collect()
    assert face.measure().live_blocks == 0
    face.close()


def test_an_array_s_memory_comes_back_with_its_last_view() -> None:
    face = registry.open_allocator(choice("arrays"))
    token = face.allocate(100, 0)
    token.array = None
    gc.collect()
    assert face.measure().live_blocks == 1
    token.rest = None
    gc.collect()
    assert face.measure().live_blocks == 0
    face.close()


def test_memory_under_a_live_view_is_parked() -> None:
    face = registry.open_allocator(choice("views"))
    face.free(face.allocate(5000, 0))
    assert face.measure().parked_bytes >= 5000
    assert face.audit() == []
    face.close()


@pytest.mark.parametrize("when", ["check", "audit"])
def test_memory_used_again_under_a_live_view_is_noticed(when: str) -> None:
    face = registry.open_allocator(choice("views"))
    token = face.allocate(5000, 0)
    address = face.address(token)
    face.free(token)
    ctypes.memset(address, 0x5A, 10)
    for _ in range(20 if when == "check" else 0):  # until that view is let go
        face.free(face.allocate(64, 0))
    said = face.check() if when == "check" else face.audit()[0]
    assert "memory was used again under a live view" in said
    assert "5a5a5a5a" in said
    face.close()


def test_a_resize_under_a_live_view_is_noticed() -> None:
    face = registry.open_allocator(choice("views"))

    class Careless:
        size = 10
        view = memoryview(b"")

        def resize(self, _size: int) -> None:
            pass

    token = face.allocate(10, 0)
    token.block = Careless()
    face.resize(token, 20)
    assert "of 10 bytes, was resized under a live view" in face.check()
    token.view = None
    face.close()


def test_each_thread_has_a_facade_of_its_own() -> None:
    face = registry.open_allocator(choice("local"))
    mine, theirs = face._mine(), []
    thread = threading.Thread(target=lambda: theirs.extend([face._mine(), face._mine()]))
    thread.start()
    thread.join()
    assert face._mine() is mine
    assert theirs[0] is theirs[1] is not mine
    face.close()


def test_a_file_is_gone_as_soon_as_it_is_mapped() -> None:
    face = registry.open_allocator(choice("file"))
    assert not Path(face.heap.backing.path).parent.exists()
    face.close()


def test_bounded_memory_may_run_out() -> None:
    """A limit is the size of an address space; without one, too, refusals there are part of the run."""
    limited = mishaps.Mishaps(limit_bytes=10_000)
    opened = registry.open_allocator(choice("offsets", mishaps=limited))
    assert opened.bounded
    assert opened.measure().reserved_bytes == 10_000
    result = act(opened, lambda client: [client.allocate(900) for _ in range(20)])
    assert (result.allocations, result.refused) == (11, 9)
    assert result.complaints() == []


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("--allocator=nosuch", "there is no allocator 'nosuch': choose from malloc, blocks"),
        ("--allocator=nosuch:make", "importing nosuch failed: ModuleNotFoundError"),
        ("--allocator=:make", "should be a known name, or module:function"),
        ("--allocator=_pools:", "should be a known name, or module:function"),
        ("--allocator=_pools:Nosuch", "has no 'Nosuch'"),
        ("--allocator=_pools:Plain.free.x", "has no 'x'"),
        ("--allocator=_pools:__name__", "is a str, which cannot be called"),
        ("--allocator=_pools:NoView", "NoView has no method view"),
        ("--allocator=_pools:Short", "its view of a block of 64 bytes has only 63"),
        ("--allocator=_pools:ReadOnly", "its view of a block of 64 bytes is read-only"),
        ("--allocator=_pools:InPieces", "is not in one piece"),
        ("--allocator=_pools:NoBuffer", "its view of a block is no buffer"),
        ("--allocator=_pools:OddAlignment", "a power of two, and is 24"),
        ("--allocator=_pools:CannotBeMade", "cannot be made: OSError: no device"),
        ("--allocator=_pools:LeavesAtOnce", "cannot be made: SystemExit: 0"),
        ("--allocator=numpy --limit=10000", "numpy has no limit"),
        ("--allocator=file --arenas=cpu", "must be a number, not 'cpu'"),
        ("--allocator=offsets --fail-nth=1", "takes all its memory at once"),
        ("--limit=10", "less than one page"),
        ("--placement=nosuch", "there is no placement 'nosuch': choose from BestFit"),
        ("--placement=_pools:Plain", "makes a Plain, which is none"),
        ("--placement=_pools:CannotBeMade", "cannot be made: OSError: no device"),
        ("--placement=_pools:LeavesAtOnce", "cannot be made: SystemExit: 0"),
    ],
)
def test_what_is_not_to_be_had_is_said(rest: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "larson", *words(rest)]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_a_module_that_ends_the_program_is_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When it is imported, as a script may."""
    (tmp_path / "_leaves.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert cli.main(["run", "larson", "--allocator=_leaves:make"]) == 2
    assert "importing _leaves failed: SystemExit: 0" in capsys.readouterr().err


def test_without_an_optional_module_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.setattr(module("allocators.heaps").importlib.util, "find_spec", lambda _name: None)
    assert cli.main(["run", "larson", "--allocator=numpy"]) == 2
    assert "numpy is not to be had" in capsys.readouterr().err
    assert cli.main(["run", "larson", "--allocator=arrays"]) == 2
    assert "arrays needs numpy, which is not installed" in capsys.readouterr().err
    assert "arrays" not in registry.heaps()


# Anybody's pool


def test_a_pool_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "somebody_s_pool.py").write_text("from _pools import Plain\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    assert cli.main(words("run larson --seconds=0.05 --scale=0.1 --allocator=somebody_s_pool:Plain")) == 0
    assert "clean: 1 run" in capsys.readouterr().out
    monkeypatch.delitem(sys.modules, "somebody_s_pool")


def test_a_pool_s_own_words_are_asked_for() -> None:
    pool = _pools.Counting()
    opened = adapted.Adapted(pool)
    token = opened.allocate(100, 0)
    assert (opened.measure().live_blocks, opened.measure().committed_bytes) == (1, 100)
    assert opened.check() is None
    pool.wrong = "list 2 is circular"
    assert opened.check() == "list 2 is circular"
    assert adapted.Adapted(_pools.ChecksByRaising()).check() == "AssertionError: slot 3 is free twice"
    opened.free(token)
    opened.close()
    assert pool.closed


def test_no_view_is_kept() -> None:
    """It would be in the way of a resize."""
    opened = adapted.Adapted(_pools.Plain())
    token = opened.allocate(100, 4096)
    token.token.extend(b"x")  # a BufferError while anything sees it
    opened.free(token)
    assert token.token is not None  # so that a second free is the pool's to catch


def test_a_pool_that_boasts_of_its_alignment_is_not_overrun() -> None:
    """Of its own less slack is needed to step to a multiple of more: where it is not kept, the end lies outside."""

    class Boasts(_pools.Plain):
        alignment = 64

        def __init__(self) -> None:
            self.memory = bytearray(4096)
            start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
            self.first = -start % 128 + 1

        def view(self, token: Any) -> Any:
            return memoryview(self.memory)[self.first :][: len(token)]

    opened = adapted.Adapted(Boasts())
    with pytest.raises(errors.MisbehaviourError, match="is not at a multiple of 64, its alignment"):
        opened.allocate(100, 128)


def test_a_forgetful_pool_s_tokens_are_forgotten() -> None:
    """That is what frees them."""
    opened = registry.open_allocator(choice("bytearray"))
    token = opened.allocate(100, 0)
    opened.free(token)
    assert token.token is None


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        ("OneForAll", "is about to be freed: from byte"),
        ("RaisesInTheMiddle", "RuntimeError: the device went away"),
        ("Leaves", "SystemExit: 0"),
        ("LosesBlocks", "the allocator counts"),
        ("BoastsOfAlignment", "is not aligned to 64"),
        ("Shrinking", "MisbehaviourError: its view of a block of"),
        ("ChecksByRaising", "check(): AssertionError: slot 3 is free twice"),
    ],
)
def test_what_a_pool_does_wrong_is_its_failure_and_stops_nobody_else(
    pool: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "results.json"
    name = f"_pools:{pool}"
    command = f"run larson --seconds=0.05 --scale=0.05 --threads=2 --allocator={name} --allocator=bytearray"
    assert cli.main([*words(command), f"--json={output}"]) == 1
    out = capsys.readouterr().out
    assert said in out
    assert out.splitlines()[-1].startswith("FAILED: 1 of 2 runs")
    assert out.splitlines()[-1].endswith(f"{name} in larson")
    wrong, sound = json.loads(output.read_text())["runs"]
    assert (wrong["allocator"], wrong["clean"], sound["allocator"], sound["clean"]) == (name, False, "bytearray", True)


def test_somebody_s_placement(capsys: pytest.CaptureFixture[str]) -> None:
    command = "run larson --seconds=0.05 --scale=0.05 --placement=arenas:BestFit"
    assert cli.main(words(command)) == 0
    assert "--placement=arenas:BestFit" in capsys.readouterr().out


def test_the_list_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    out = capsys.readouterr().out
    for name in (*registry.names(), "module:factory"):
        assert name in out
