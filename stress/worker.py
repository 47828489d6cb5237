"""What one thread of a replay does, and what all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from . import schedule
from .allocators import Token
from .errors import AbandonedError
from .faults import Faults
from .gates import Gates
from .pattern import next_start, start_of

if TYPE_CHECKING:
    from .allocators import Allocator
    from .pattern import Noise
    from .schedule import Lane, Schedule


class Shared(Generic[Token]):
    """What the threads of one replay share.

    No lock: an entry of ``held`` belongs to whichever thread's turn it is with that block, which the gates decide; an
    entry of ``live_bytes`` is written by its own thread only.
    """

    def __init__(self, allocator: Allocator[Token], noise: Noise, plan: Schedule, blocks: int) -> None:
        """Nothing held yet, all gates closed."""
        self.allocator = allocator
        self.noise = noise
        self.faults = Faults()
        self.gates = Gates(plan.gates)
        self.held: list[tuple[Token, int, int] | None] = [None] * blocks  # by block: token, size, start of the pattern
        self.live_bytes = [0] * len(plan.lanes)  # by lane: allocated less freed there; only the sum means anything


class Worker(Generic[Token]):
    """Replays one lane in the calling thread."""

    def __init__(self, shared: Shared[Token], lane: Lane) -> None:
        """Prepare; nothing is allocated yet."""
        self.lane = lane
        self.done = 0
        self.peak_live_bytes = 0
        self.peak_committed_bytes = 0
        self.peak_reserved_bytes = 0
        self._sample_at_bytes = 0
        self.failure: BaseException | None = None
        self._shared = shared
        self._allocator = shared.allocator
        self._noise = shared.noise
        self._held = shared.held
        self._live_bytes = shared.live_bytes
        self._least_alignment = shared.allocator.alignment

    def run(self) -> None:
        """Carry out the lane; on any exception keep it, and release the other threads."""
        try:
            self._replay()
        except AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever it is, the others must not wait for ever
            self.failure = error
            self._shared.gates.abort()

    def _replay(self) -> None:
        lane, gates = self.lane, self._shared.gates
        waits, opens = iter(lane.waits), iter(lane.opens)
        actions = (self._allocate, self._zeroed, self._resize, self.free)  # in the order of the kinds in `trace`
        for action, block, size, alignment in zip(lane.actions, lane.blocks, lane.sizes, lane.alignments, strict=True):
            if action > schedule.KIND:
                if action & schedule.WAITS:
                    gates.pass_through(next(waits))
                actions[action & schedule.KIND](block, size, alignment)
                if action & schedule.OPENS:
                    gates.open(next(opens))
            else:
                actions[action](block, size, alignment)
            self.done += 1
            if gates.aborted:
                raise AbandonedError

    def _allocate(self, block: int, size: int, alignment: int) -> None:
        token = self._allocator.allocate(size, alignment)
        self._keep(block, token, size, alignment or self._least_alignment, start_of(block))

    def _zeroed(self, block: int, size: int, _alignment: int) -> None:
        token = self._allocator.zeroed(size)
        address = self._allocator.address(token)
        if not self._noise.is_zero(address, size):
            self._report(block, address, size, None, "was to be zeroed")
        self._keep(block, token, size, self._least_alignment, start_of(block))

    def _resize(self, block: int, size: int, _alignment: int) -> None:
        token, old_size, start = self._take(block)
        token = self._allocator.resize(token, size)
        kept, address = min(old_size, size), self._allocator.address(token)
        if not self._noise.holds(address, kept, start):
            self._report(block, address, kept, start, f"was resized from {old_size} to {size} bytes")
        self._live_bytes[self.lane.number] -= old_size
        self._keep(block, token, size, self._least_alignment, next_start(start))

    def free(self, block: int, _size: int = 0, _alignment: int = 0) -> None:
        """Check a block one last time and give it back."""
        token, size, start = self._take(block)
        address = self._allocator.address(token)
        if not self._noise.holds(address, size, start):
            self._report(block, address, size, start, "is about to be freed")
        self._allocator.release(token)
        self._live_bytes[self.lane.number] -= size

    def _keep(self, block: int, token: Token, size: int, alignment: int, start: int) -> None:
        address = self._allocator.address(token)
        if address % alignment:
            self._shared.faults.add(f"block {block} of {size} bytes at {address:#x} is not aligned to {alignment}")
        self._noise.fill(address, size, start)
        self._held[block] = (token, size, start)
        self._live_bytes[self.lane.number] += size
        live_bytes = sum(self._live_bytes)
        if live_bytes > self.peak_live_bytes:
            self.peak_live_bytes = live_bytes
            if live_bytes >= self._sample_at_bytes:
                self.sample()

    def sample(self) -> None:
        """Ask the allocator what it holds; next when a fair share more is live, since memory peaks where that does."""
        memory = self._allocator.measure()
        self.peak_committed_bytes = max(self.peak_committed_bytes, memory.committed_bytes)
        self.peak_reserved_bytes = max(self.peak_reserved_bytes, memory.reserved_bytes)
        self._sample_at_bytes = self.peak_live_bytes + max(self.peak_live_bytes // 16, 1 << 16)

    def _take(self, block: int) -> tuple[Token, int, int]:
        held = self._held[block]
        assert held is not None, f"block {block} is used out of turn"
        self._held[block] = None
        return held

    def _report(self, block: int, address: int, size: int, start: int | None, event: str) -> None:
        difference = self._noise.first_difference(address, size, start)
        self._shared.faults.add(f"block {block} at {address:#x} ({size} bytes) {event}: {difference}")


def free_the_rest(shared: Shared[Token]) -> int:
    """Check and free, in the calling thread, what a recording leaves live; how many blocks that were."""
    left = Worker(shared, schedule.Lane(0))
    count = 0
    for block, held in enumerate(shared.held):
        if held is not None:
            left.free(block)
            count += 1
    return count
