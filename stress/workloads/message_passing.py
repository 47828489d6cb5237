"""Producers send messages to consumers, some by way of proxies that pass them on, longer or not at all.

Each consumer and each proxy has a queue of its own. A producer sends a batch to any of them; a consumer frees what it
gets; a proxy sends it on to a queue below its own, so that no message goes round for ever. A block may so be allocated
by one thread, resized by others, and freed by yet another.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from .model import Workload

if TYPE_CHECKING:
    from ..channel import Channel
    from ..client import Client, Held
    from ..stage import Stage

SIZES: Final = (48, 64, 96, 128)
LARGEST_BATCH: Final = 16
OUTSTANDING: Final = 4096
"""Messages on all queues together."""
OF_EIGHT: Final = (3, 2)
"""Producers and proxies among eight threads; the rest are consumers."""
DROPPED: Final = 1 / 16
EXTENDED: Final = 3 / 16
"""Of the messages that come to a proxy; the original's are all passed on as they are."""


class Sender:
    """Sends batches to the queues it knows, and None to each at the end."""

    def __init__(self, stage: Stage[Any], name: str, number: int, queues: list[Channel[Any]]) -> None:
        self._stage = stage
        self._numbers = stage.random("message-passing", name, number)
        self._queues = queues

    def _send(self, batch: list[Held[Any]]) -> None:
        self._numbers.choice(self._queues).put(batch)

    def _end(self) -> None:
        for queue in self._queues:
            queue.put(None)


class Producer(Sender):
    """Makes messages."""

    def work(self, client: Client[Any]) -> None:
        """Send batches until the time is up."""
        numbers = self._numbers
        while True:
            size = numbers.choice(SIZES)
            batch = [client.allocate(size) for _ in range(numbers.randint(1, LARGEST_BATCH))]
            self._send([held for held in batch if held is not None])
            if not self._stage.going:
                break
        self._end()


class Receiver:
    """Takes batches from its queue until all who may send there have ended."""

    def __init__(self, queue: Channel[Any], senders: int) -> None:
        self._queue = queue
        self._senders = senders
        self.messages: deque[Held[Any]] = deque()
        """In hand: also what a thread that died leaves to the next."""

    def receive(self) -> bool:
        """See to it that there is something in hand; False if there will never be."""
        while not self.messages:
            if not self._senders:
                return False
            batch = self._queue.get()
            if batch is None:
                self._senders -= 1
            else:
                self.messages.extend(batch)
        return True


class Consumer:
    """Frees what it gets."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def work(self, client: Client[Any]) -> None:
        """Free messages to the end."""
        while self._receiver.receive():
            client.free(self._receiver.messages.popleft())


class Proxy(Sender):
    """Passes on what it gets."""

    def __init__(self, stage: Stage[Any], number: int, queues: list[Channel[Any]], receiver: Receiver) -> None:
        super().__init__(stage, "proxy", number, queues)
        self._receiver = receiver
        self._batch: list[Held[Any]] = []

    def work(self, client: Client[Any]) -> None:
        """Pass messages on to the end."""
        messages, numbers = self._receiver.messages, self._numbers
        while self._receiver.receive():
            held = messages.popleft()
            chance = numbers.random()
            if chance < DROPPED:
                client.free(held)
            else:
                if chance < DROPPED + EXTENDED:
                    client.resize(held, held.size + numbers.choice(SIZES))
                self._batch.append(held)
            if not messages:
                self._pass_on()
        self._pass_on()
        self._end()

    def _pass_on(self) -> None:
        batch, self._batch = self._batch, []
        if batch:
            self._send(batch)


def play(stage: Stage[Any]) -> None:
    """Three producers, two proxies and three consumers of eight threads; at least one of each."""
    producers, proxies = (max(stage.threads * share // 8, 1) for share in OF_EIGHT)
    consumers = max(stage.threads - producers - proxies, 1)
    count = consumers + proxies
    queues = [stage.channel(max(stage.scaled(OUTSTANDING) // LARGEST_BATCH // count, 1)) for _ in range(count)]
    receivers = [  # senders are all producers, and the proxies above
        Receiver(queue, producers + count - max(number + 1, consumers)) for number, queue in enumerate(queues)
    ]
    stage.play(
        *(Producer(stage, "producer", number, queues).work for number in range(producers)),
        *(Proxy(stage, number, queues[:number], receivers[number]).work for number in range(consumers, count)),
        *(Consumer(receiver).work for receiver in receivers[:consumers]),
    )


WORKLOAD: Final = Workload(
    "message-passing",
    "producers send blocks to consumers, partly through proxies that resize them or pass them on",
    "N. W. Filardo, M. J. Parkinson: BatchIt, MPLR 2024; snmalloc, test/perf/msgpass",
    play,
    threads=8,
)
