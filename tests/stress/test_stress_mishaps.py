"""What goes wrong on purpose: it happens, as often as asked for; a heap makes the best of it; and whoever does not is
caught.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import shlex
import sysconfig
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from _allocators import Sound
from _package import module
from _runs import act, play

import arenas

if TYPE_CHECKING:
    from collections.abc import Iterator

cli = module("cli")
errors = module("errors")
mishaps = module("mishaps")
options = module("commands.options")
protocol = module("allocators.protocol")
registry = module("allocators.registry")
Mishaps = mishaps.Mishaps


def opened(name: str = "malloc", **wrong: Any) -> tuple[Any, Any]:
    """An allocator and what is to befall it."""
    troubled = Mishaps(**wrong)
    return registry.open_allocator(protocol.Choice(allocator=name, mishaps=troubled)), troubled


def grow(client: Any) -> None:
    """Asks the system for memory now and then; half is given back in between."""
    kept = []
    for size in (100, 200_000, 1_100_000, 50_000, 600_000, 70, 300_000):
        kept.append(client.allocate(size))
        if kept[-1] is not None:
            client.resize(kept[-1], size * 2)
        if len(kept) % 2:
            client.free(kept.pop(0))


# Requests that fail


def failed(troubled: Any, requests: int = 100) -> list[int]:
    """The numbers of those that fail."""
    failures, found = mishaps.Failures(troubled), []
    for number in range(1, requests + 1):
        try:
            failures.request()
        except OSError:
            found.append(number)
    return found


def test_the_nth_request_fails_and_no_other() -> None:
    assert failed(Mishaps(fail_nth=3)) == [3]
    assert failed(Mishaps()) == []


def test_requests_fail_at_random_the_same_for_the_same_seed() -> None:
    found = failed(Mishaps(fail_rate=0.3, seed=5))
    assert 15 < len(found) < 45
    assert found == failed(Mishaps(fail_rate=0.3, seed=5))
    assert found != failed(Mishaps(fail_rate=0.3, seed=6))
    assert failed(Mishaps(fail_rate=1.0)) == list(range(1, 101))


def test_after_the_end_none_fails() -> None:
    failures = mishaps.Failures(Mishaps(fail_rate=1.0))
    failures.end()
    failures.request()


def test_whichever_request_to_the_system_fails() -> None:
    """For every N until there are no more: two threads come through, and the heap is whole at the end."""
    number, refused = 0, 0
    while number < 40:
        number += 1
        face, troubled = opened(fail_nth=number)
        result = act(face, grow, grow, mishaps=troubled)
        assert result.complaints() == [], f"request {number}"
        refused += result.refused
        if face._failures._requests < number:
            break
    assert 5 < number < 40


@pytest.mark.parametrize("name", ["malloc", "blocks", "drops", "views"])
def test_a_system_without_memory(name: str) -> None:
    face, troubled = opened(name, fail_rate=1.0)
    result = act(face, grow, mishaps=troubled)
    assert result.complaints() == []
    assert (result.allocations, result.refused) == (0, 7)
    assert "7 requests were refused, as they may be" in result.notes


def test_a_peer_is_refused_above_it() -> None:
    face, troubled = opened("bytearray", fail_nth=2)
    result = act(face, grow, mishaps=troubled)
    assert result.complaints() == []
    assert result.refused == 1


def test_where_nothing_is_to_fail_a_refusal_ends_the_run() -> None:
    class Refuses(Sound):
        def allocate(self, size: int, alignment: int) -> int:
            raise MemoryError("none today")

    assert "MemoryError: none today" in str(act(Refuses(), grow).failure)
    assert act(Refuses(), grow, mishaps=Mishaps(fail_nth=1)).failure is None


class RefusesLarge(Sound):
    def allocate(self, size: int, alignment: int) -> int:
        if size > 1000:
            raise MemoryError
        return super().allocate(size, alignment)


def test_a_refusal_that_changes_the_books_is_caught() -> None:
    class Leaks(RefusesLarge):
        def allocate(self, size: int, alignment: int) -> int:
            try:
                return super().allocate(size, alignment)
            except MemoryError:
                super().allocate(size % 1000, alignment)
                raise

    result = act(Leaks(), grow, mishaps=Mishaps(fail_rate=0.1))
    assert any("the allocator counts" in said for said in result.complaints())


def test_a_refused_resize_that_changes_the_contents_is_caught() -> None:
    class Scribbles(RefusesLarge):
        def resize(self, token: int, size: int) -> int:
            try:
                return super().resize(token, size)
            except MemoryError:
                self.copy(token, token + 1, 8)
                raise

    result = act(Scribbles(), lambda client: client.resize(client.allocate(100), 5000), mishaps=Mishaps(fail_nth=1))
    assert "should have been left alone when a resize was refused" in result.descriptions[0]


# A limit


def test_a_limit_is_reached_and_holds() -> None:
    face, troubled = opened("blocks", limit_bytes=1_000_000)
    result = act(face, grow, grow, mishaps=troubled)
    assert result.complaints() == []
    assert result.refused > 0
    assert 500_000 < result.peak_committed_bytes <= 1_000_000


def test_a_limit_that_does_not_hold_is_caught() -> None:
    result = act(Sound(), lambda client: client.allocate(70_001), mishaps=Mishaps(limit_bytes=70_000))
    assert result.accounting == ["70,001 bytes were committed at once, the limit is 70,000"]
    assert not result.clean


def test_a_sum_over_arenas_that_never_was_is_no_breach() -> None:
    """They are read one after the other: pages may be given back in one and taken in another meanwhile."""
    face, _ = opened("blocks", limit_bytes=1_000_000)
    one, other = arenas.Stats(committed_bytes=600_000), arenas.Stats(committed_bytes=500_000)
    less = arenas.Stats(committed_bytes=400_000, returned_bytes=200_000)
    torn, true = arenas.Stats.total([one, other]), arenas.Stats.total([less, other])
    for told, committed in (
        ([torn, true, true], 900_000),  # what was given back is seen at the second look
        ([torn, torn], 1_100_000),  # nothing has moved: so it was
        (itertools.cycle([torn, true]), 1_000_000),  # never still: no proof
    ):
        readings = iter(told)
        face.heap = SimpleNamespace(stats=lambda readings=readings: next(readings))
        assert face.measure().committed_bytes == committed


def test_a_limit_is_looked_at_when_all_is_quiet() -> None:
    face, _ = opened("blocks", limit_bytes=1_000_000)
    many = arenas.Stats.total([arenas.Stats(committed_bytes=1_000_001)])
    face.heap = SimpleNamespace(stats=lambda: many, check=lambda: None)
    assert face.check() == "1,000,001 bytes are committed, the limit is 1,000,000"


# Threads that die


def test_threads_die_and_others_go_on_in_their_place() -> None:
    threads: set[int] = set()
    done: list[int] = []

    def body(client: Any) -> None:
        threads.add(id(threading.current_thread()))
        for _ in range(20):
            client.free(client.allocate(100))
        done.append(client.number)

    face, troubled = opened("blocks", die_rate=0.02, seed=1)
    result = act(face, body, body, mishaps=troubled)
    assert sorted(done) == [0, 1]
    assert result.complaints() == []
    (note,) = result.notes
    assert int(note.removesuffix(" threads died on purpose")) > 0


def test_what_the_dead_held_is_neither_lost_nor_stranded() -> None:
    """They die before a free, with the block in hand: it is still in the books, and freed at the end."""
    face, troubled = opened("malloc", die_rate=0.05, seed=2)

    def body(client: Any) -> None:
        for _ in range(10):
            client.free(client.allocate(5000))

    result = act(face, *[body] * 4, mishaps=troubled)
    assert result.left_live > 0
    assert result.complaints() == []
    assert face.heap.closed


def test_nobody_dies_once_the_time_is_up() -> None:
    """Or a body might be begun again for ever."""
    face, troubled = opened(die_rate=1.0)
    result = act(face, lambda client: client.allocate(100), mishaps=troubled, seconds=0.02)
    assert result.complaints() == []
    assert result.allocations == 1
    assert result.notes[0].endswith(" threads died on purpose")


def test_the_thread_that_plays_does_not_die() -> None:
    def script(stage: Any) -> None:
        with stage.client() as client:
            client.free(client.allocate(100))

    assert play(script, Sound(), mishaps=Mishaps(die_rate=1.0)).complaints() == []


# Collections


@pytest.fixture
def collections() -> Iterator[list[int]]:
    counted: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            counted.append(info["generation"])

    gc.callbacks.append(note)
    yield counted
    gc.callbacks.remove(note)


def test_the_collector_never_rests(collections: list[int]) -> None:
    before = gc.get_threshold()
    seen: list[int] = []

    def body(client: Any) -> None:
        seen.append(gc.get_threshold()[0])
        kept = [client.allocate(100) for _ in range(500)]
        for held in kept:
            client.free(held)
        seen.append(len(collections))

    face, troubled = opened("drops", collect=True)
    result = act(face, body, mishaps=troubled)
    assert result.complaints() == []
    threshold, collected = seen
    assert threshold == 1
    assert collected > (100 if sysconfig.get_config_var("Py_GIL_DISABLED") != 1 else 2)  # it counts by the hundred
    assert gc.get_threshold() == before


def test_the_collector_has_something_to_collect() -> None:
    befall = Mishaps(collect=True).fate(0, lambda: True)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            befall()
        assert gc.collect() >= 10
    finally:
        gc.enable()


def test_the_collector_rests_again_after_a_failure() -> None:
    before = gc.get_threshold()

    def fail(_client: Any) -> None:
        raise RuntimeError("on the way")

    assert "on the way" in act(Sound(), fail, mishaps=Mishaps(collect=True)).failure
    assert gc.get_threshold() == before


# As words


def parsed(words: list[str]) -> Any:
    parser = argparse.ArgumentParser()
    options.add_mishaps(parser)
    return options.mishaps(parser.parse_args(words), seed=9)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"fail_nth": 3},
        {"fail_rate": 0.123456789},
        {"limit_bytes": 65536},
        {"die_rate": 1e-05},
        {"collect": True},
        {"fail_nth": 1, "fail_rate": 0.5, "limit_bytes": 1 << 20, "die_rate": 0.25, "collect": True},
    ],
)
def test_words_say_it_all(wrong: dict[str, Any]) -> None:
    troubled = Mishaps(**wrong, seed=9)
    assert parsed(troubled.words()) == troubled
    assert len(troubled.words()) == len(wrong)


def test_where_nothing_can_be_begun_again_nobody_dies() -> None:
    parser = argparse.ArgumentParser()
    options.add_mishaps(parser, deaths=False)
    assert options.mishaps(parser.parse_args(["--gc"]), 1) == Mishaps(collect=True, seed=1)
    with pytest.raises(SystemExit):
        parser.parse_args(["--die-rate=0.5"])


@pytest.mark.parametrize(
    "words", ["--fail-nth=0", "--fail-nth=x", "--fail-rate=1.5", "--fail-rate=nan", "--die-rate=-1", "--limit=0"]
)
def test_nonsense_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "larson", words])
    assert ended.value.code == 2
    assert "is not a" in capsys.readouterr().err


def test_the_printed_command_repeats_it_all(capsys: pytest.CaptureFixture[str]) -> None:
    command = (
        "run larson --seconds=0.05 --scale=0.05 --allocator=blocks --allocator=malloc --arenas=2 "
        "--fail-nth=2 --fail-rate=0.1 --limit=65536 --die-rate=0.01 --gc"
    )
    assert cli.main(command.split()) == 0
    first = capsys.readouterr().out.splitlines()[0]
    words = shlex.split(first)
    assert set(command.split()) <= set(words)
    assert cli.main(words[words.index("run") :]) == 0
    assert capsys.readouterr().out.splitlines()[0] == first
