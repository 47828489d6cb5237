"""Frames of varying size through a NumPy pipeline: what a decoder, a filter and an encoder do with their buffers.

A packet is received, decoded, converted to floating point, blended with the frame before, and encoded again. At most
seven buffers live at once: the packet, the decoded, the converted, the blended and the encoded frame, and from the step
before the converted and the encoded one. Now and then the same is computed in ordinary arrays, and compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import UnavailableError
from ..pattern import view
from . import alone
from .model import Workload

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from types import ModuleType

    from ..client import Client, Held
    from ..stage import Stage

SMALLEST: Final = 1 << 20
LARGEST: Final = 12 << 20
"""Bytes of a frame in floating point; decoded and encoded it takes a quarter."""
PAGE: Final = 4096
"""To a multiple of which a device receives a packet."""
VECTOR: Final = 128
"""To a multiple of which the arrays begin: two cache lines."""
FRAMES: Final = 4
"""In one round."""
COMPARED: Final = 4
"""Of so many frames one is computed twice."""
_FLOAT_BYTES: Final = 4
_KINDS: Final = ("u1", "f4", "f4", "u1")
"""Of what a decoded, a converted, a blended and an encoded frame consist."""


def play(stage: Stage[Any]) -> None:
    """Each thread has a pipeline of its own."""
    try:
        import numpy as np  # noqa: PLC0415 - optional
    except ImportError as error:
        raise UnavailableError("it computes with NumPy, which is not installed") from error
    if not stage.allocator.has_memory:
        raise UnavailableError("it computes in the blocks, and there is no memory behind them")
    pipelines = [Pipeline(np, stage, stage.random("frames", number)) for number in range(stage.threads)]
    stage.play(*(alone.body(stage, pipeline.play_round) for pipeline in pipelines))


class Before(NamedTuple):
    """What is kept of a frame until the next one has gone through."""

    converted: Held[Any] | None
    encoded: Held[Any] | None
    packet: Any
    """A copy."""


_NOTHING: Final = Before(None, None, None)


class Pipeline:
    """One thread's."""

    def __init__(self, numpy: ModuleType, stage: Stage[Any], numbers: random.Random) -> None:
        """Nothing has gone through it yet."""
        self._np = numpy
        self._stage = stage
        self._numbers = numbers
        self._seen = 0

    def play_round(self, client: Client[Any]) -> None:
        """Have some frames go through, of another size each."""
        before = _NOTHING
        for _ in range(FRAMES):
            self._stage.go_on()
            pixels = self._stage.scaled(self._numbers.randint(SMALLEST, LARGEST) // _FLOAT_BYTES)
            before = self._step(client, pixels, before)

    def _step(self, client: Client[Any], pixels: int, before: Before) -> Before:
        packet = client.allocate(pixels, PAGE)
        sizes = (pixels, pixels * _FLOAT_BYTES, pixels * _FLOAT_BYTES, pixels)
        results = [client.allocate(size, VECTOR) for size in sizes]
        decoded, converted, blended, encoded = results
        served = [held for held in results if held is not None]
        after = _NOTHING
        if packet is not None and len(served) == len(results):
            received = self._array(packet.address, pixels, "u1")  # that is, what the referee filled it with
            arrays = [self._lent(client, held, kind) for held, kind in zip(served, _KINDS, strict=True)]
            # What others have written into a block may be any number: it is compared, not warned of.
            with self._np.errstate(all="ignore"):
                self._compute(received, self._lent(client, before.converted, "f4"), arrays)
            self._seen += 1
            if self._seen % COMPARED == 0 and not self._is_right(received, before.packet, arrays[-1]):
                client.blame(served[-1], "differs from the same computed in ordinary arrays")
            after = Before(converted, encoded, received.copy())
        else:
            self._give(client, converted, encoded)
        self._give(client, packet, decoded, blended, before.converted, before.encoded)
        return after

    def _compute(self, packet: Any, before: Any, results: Sequence[Any]) -> None:  # noqa: ANN401 - arrays
        np = self._np
        decoded, converted, blended, encoded = results
        np.add.accumulate(packet, out=decoded)  # each byte tells the difference to the one before, modulo 256
        converted[:] = decoded
        np.multiply(converted, 0.75, out=blended)
        if before is not None:
            common = min(len(before), len(blended))
            blended[:common] += before[:common] * np.float32(0.25)
        encoded[:] = blended  # truncated: nothing exceeds 255
        np.subtract(encoded[1:], encoded[:-1].copy(), out=encoded[1:])

    def _is_right(self, packet: Any, packet_before: Any, encoded: Any) -> bool:  # noqa: ANN401 - arrays
        """Do it again in ordinary arrays."""
        np = self._np
        before = None if packet_before is None else np.add.accumulate(packet_before, dtype="u1").astype("f4")
        results = [np.empty(len(packet), kind) for kind in _KINDS]
        self._compute(packet, before, results)
        return bool(np.array_equal(encoded, results[-1]))

    def _lent(self, client: Client[Any], held: Held[Any] | None, kind: str) -> Any:  # noqa: ANN401 - an array
        return None if held is None else self._array(client.lend(held), held.size, kind)

    def _array(self, address: int, size: int, kind: str) -> Any:  # noqa: ANN401 - an array
        return self._np.frombuffer(view(address, size), kind)

    @staticmethod
    def _give(client: Client[Any], *blocks: Held[Any] | None) -> None:
        for held in blocks:
            if held is not None and held.is_lent:
                client.refill(held)
            client.free(held)


WORKLOAD: Final = Workload(
    "frames",
    "frames of varying size, decoded, blended and encoded by NumPy in seven live buffers a thread",
    "what people complain of whose programs allocate large arrays: numpy/numpy#8783, dask/dask#3530",
    play,
    threads=2,
)
