"""A client lets nothing wrong get past: each kind of fault is caught, and named with figures."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest
from _allocators import DirtyZeroes, LosesAByte, Misaligned, Overlapping, Raises, ShiftsOnResize, Sound
from _package import module

referee = module("referee")
sweep = module("sweep")


class Counted(Sound):
    """Counts how often it is asked what it holds."""

    measured = 0

    def measure(self) -> Any:
        self.measured += 1
        return super().measure()


def refereed(allocator: Any, **options: Any) -> tuple[Any, Any]:
    """A referee and a client, begun."""
    judge = referee.Referee(allocator, 1, **options)
    client = judge.client()
    client.begin()
    return judge, client


def found(judge: Any) -> list[str]:
    judge.sweep.finish()
    descriptions: list[str] = judge.faults.descriptions()
    return descriptions


def everything(client: Any) -> None:
    for size in (0, 1, 100, 5000):
        held = client.allocate(size, 16)
        client.check(held)
        client.resize(held, size // 2)
        client.resize(held, size * 2)
        client.free(held)
        client.free(client.zeroed(size))
    client.free(None)


def test_a_sound_allocator_has_no_faults() -> None:
    judge, client = refereed(Sound())
    everything(client)
    assert found(judge) == []
    assert (client.allocations, client.frees, client.resizes, client.refused) == (8, 8, 8, 0)
    assert client.operations == 24
    assert client.mine == {}
    assert judge.live_bytes == [0]


def test_the_peak_is_the_sum_over_all_clients() -> None:
    judge, client = refereed(Sound())
    other = judge.client()
    other.begin()
    kept = client.allocate(100_000)
    client.free(other.allocate(50_000))
    assert judge.live_bytes == [50_000, 50_000]  # only the sum means anything
    other.resize(kept, 300_000)
    assert max(one.peak_live_bytes for one in judge.clients) == 300_000
    assert other.peak_committed_bytes == 300_000


def test_what_one_client_has_sampled_no_other_samples_again() -> None:
    """Or a thousand threads that allocate a little each would ask for the books of a thousand arenas each."""
    allocator = Counted()
    judge, client = refereed(allocator)
    client.allocate(200_000)
    asked = allocator.measured
    for other in [judge.client() for _ in range(100)]:
        other.begin()
        other.allocate(16)
    assert allocator.measured == asked
    client.allocate(200_000)
    assert allocator.measured == asked + 1


def test_contents_overwritten_before_a_free() -> None:
    judge, client = refereed(Sound())
    held = client.allocate(100, name="mine")
    ctypes.memset(held.address + 40, 0, 3)
    client.free(held)
    (said,) = found(judge)
    assert f"block mine of 100 bytes at {held.address:#x} is about to be freed: from byte 4" in said
    assert "and is 00 " in said


def test_contents_overwritten_before_a_resize() -> None:
    judge, client = refereed(Sound())
    held = client.allocate(100)
    ctypes.memset(held.address, 0, 100)
    client.resize(held, 50)
    (said,) = found(judge)
    assert "was resized from 100 to 50 bytes: from byte 0" in said


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (LosesAByte, "bytes: from byte"),
        (ShiftsOnResize, "bytes: from byte 0 on it should be"),
        (DirtyZeroes, "was to be zeroed: from byte"),
        (Misaligned, "is not aligned to"),
        (Overlapping, "overlaps block"),
    ],
)
def test_each_kind_of_fault_is_caught(broken: type[Sound], said: str) -> None:
    judge, client = refereed(broken())
    kept = [client.allocate(100) for _ in range(2)]
    client.resize(kept[0], 300)
    client.zeroed(40)
    assert any(said in one for one in found(judge)), found(judge)


def test_an_alignment_is_checked_again_after_a_resize() -> None:
    judge, client = refereed(Sound())
    held = client.allocate(100, 4096)
    client.resize(held, 20_000)  # the sound one keeps 16 only
    (said,) = found(judge)
    assert said.endswith("is not aligned to 4096")


@pytest.mark.parametrize("alignment", [32, 4096, 1 << 16])
def test_every_bit_of_an_alignment_counts(alignment: int) -> None:
    class Beside(Sound):
        def address(self, token: int) -> int:
            return token + alignment // 2

    judge, client = refereed(Beside())
    client.allocate(100, alignment)
    (said,) = found(judge)
    assert said.endswith(f"is not aligned to {alignment}")


@pytest.mark.parametrize("size", [3, 1000, 40_000])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_every_byte_of_a_zeroed_block_is_looked_at(size: int, place: float) -> None:
    class Spotted(Sound):
        def zeroed(self, size: int) -> int:
            address = super().zeroed(size)
            ctypes.memset(address + int(place * (size - 1)), 1, 1)
            return address

    judge, client = refereed(Spotted())
    client.zeroed(size)
    (said,) = found(judge)
    assert f"was to be zeroed: from byte {int(place * (size - 1))} on" in said


@pytest.mark.parametrize("end", ["free", "resize"])
def test_a_block_is_dead_before_the_allocator_has_it_back(end: str) -> None:
    """Later another thread may have the same memory already, and its block be born before this one has died."""
    deaths: list[int] = []

    class Looks(Sound):
        def _look(self) -> None:
            deaths.append(sum(entry[1] == sweep.DEATH for entry in client._journal.entries))

        def free(self, token: int) -> None:
            self._look()
            super().free(token)

        def resize(self, token: int, size: int) -> int:
            self._look()
            return super().resize(token, size)

    _, client = refereed(Looks())
    held = client.allocate(100)
    client.free(held) if end == "free" else client.resize(held, 200)
    assert deaths == [1]


def test_a_stale_copy_after_a_resize_is_no_block() -> None:
    """Contents change at each resize: what was there before cannot pass for what is there now."""
    judge, client = refereed(Sound())
    held = client.allocate(200)
    before = ctypes.string_at(held.address, 200)
    client.resize(held, 200)
    assert ctypes.string_at(held.address, 200) != before
    ctypes.memmove(held.address, before, 200)
    client.free(held)
    assert len(found(judge)) == 1


def test_two_blocks_differ_also_if_two_clients_allocate_them() -> None:
    judge, client = refereed(Sound())
    other = judge.client()
    blocks = [one.allocate(100) for one in (client, other) * 4]
    assert len({ctypes.string_at(held.address, 100) for held in blocks}) == 8


def test_a_refusal_that_may_not_be_is_the_allocator_s_error() -> None:
    _, client = refereed(Raises())
    with pytest.raises(MemoryError, match="no 666 bytes"):
        client.allocate(666)
    assert client.operations == 0


def test_a_refusal_that_may_be_is_counted() -> None:
    judge, client = refereed(Raises(), may_refuse=True)
    held = client.allocate(100)
    assert client.allocate(666) is None
    assert client.zeroed(666) is None
    assert client.resize(held, 666) is False
    assert (held.size, client.refused, client.resizes) == (100, 3, 0)
    client.free(held)
    assert found(judge) == []


def test_a_block_refused_a_resize_is_live_all_the_time() -> None:
    """Its death was noted before the attempt, and its birth after: nobody may have been given its place."""

    class GivesItAway(Raises):
        def resize(self, token: int, size: int) -> int:
            self._next = token
            raise MemoryError

    judge, client = refereed(GivesItAway(), may_refuse=True)
    held = client.allocate(100)
    client.resize(held, 200)
    client.allocate(100)
    assert any("overlaps block" in said for said in found(judge))


def test_a_free_by_another_thread_is_counted_as_such() -> None:
    import threading

    judge, client = refereed(Sound())
    held = [client.allocate(10) for _ in range(2)]
    other = judge.client()

    def free_one() -> None:
        other.begin()
        other.free(held[0])
        other.end()

    thread = threading.Thread(target=free_one)
    thread.start()
    thread.join()
    client.free(held[1])
    assert (client.remote_frees, other.remote_frees) == (0, 1)
    assert client.mine == {}


def test_what_is_left_is_checked_and_freed() -> None:
    allocator = Sound()
    judge, client = refereed(allocator)
    held = [client.allocate(100) for _ in range(3)]
    ctypes.memset(held[1].address, 0, 8)
    assert judge.free_the_rest() == 3
    assert len(found(judge)) == 1
    assert allocator.live == {}
