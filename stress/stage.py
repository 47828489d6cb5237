"""The stage a workload plays on: its threads, its random numbers, its time, and its way to the allocator."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic

from .allocators.protocol import Token
from .channel import Channel
from .errors import AbandonedError, ThreadDiedError, UnavailableError
from .mishaps import NONE, Mishaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .allocators.protocol import Allocator
    from .client import Client
    from .monitor import Monitor
    from .referee import Referee

Body = Callable[["Client[Any]"], None]
"""What one thread does, with a client of its own. May be begun again in a new thread where the first one died."""


class Stage(Generic[Token]):
    """Of one run. `play`, `client` and `channel` are for the thread that runs the workload; the rest for any."""

    def __init__(
        self,
        referee: Referee[Token],
        monitor: Monitor[Token],
        *,
        threads: int,
        scale: float,
        seed: int,
        seconds: float,
        another: Callable[[], Allocator[Token]] | None = None,
        mishaps: Mishaps = NONE,
    ) -> None:
        """``threads``: how many at once; ``scale``: of sizes and counts, 1 for the original's."""
        self.allocator = referee.allocator
        self.referee = referee
        self.threads = threads
        self.scale = scale
        self.notes: list[str] = []
        self._deaths: list[None] = []  # one each; appended to by any thread: that is atomic
        self._another = another
        self._mishaps = mishaps
        self._monitor = monitor
        self._seed = seed
        self._seconds = seconds
        self._aborted = False
        self._on_abort: list[Callable[[], None]] = []
        self._clients: list[Client[Token]] = []  # of all bodies ever played at once: each play uses them anew
        self._own: Client[Token] | None = None
        self._crew: _Crew[Token] | None = None  # while playing
        self._following: dict[Client[Token], Body] = {}  # what goes on with a client in a new thread

    @property
    def going(self) -> bool:
        """Whether there is time left, and nobody has failed. Ask often: at least every few milliseconds."""
        return not self._aborted and self._monitor.elapsed_seconds < self._seconds

    def rounds(self) -> Iterator[int]:
        """Count rounds: a first one in any case, and more while there is time."""
        number = 0
        while not number or self.going:
            yield number
            number += 1

    def go_on(self) -> None:
        """In a round that is to be finished even when time is up. Call often, as one asks `going`.

        Raises:
            AbandonedError: somebody has failed.

        """
        if self._aborted:
            raise AbandonedError

    def note(self, text: str) -> None:
        """Have something said beneath the results."""
        self.notes.append(text)

    def another(self) -> Allocator[Token]:
        """One more allocator like that of this run, to be closed by the caller.

        Raises:
            UnavailableError: the run was given a single one.

        """
        if self._another is None:
            raise UnavailableError("this run was given a single allocator")
        return self._another()

    @property
    def deaths(self) -> int:
        """How many threads died on purpose."""
        return len(self._deaths)

    def scaled(self, number: int, least: int = 1) -> int:
        """A number of the original, scaled."""
        return max(least, round(number * self.scale))

    def random(self, *names: object) -> random.Random:
        """Random numbers of their own for whoever goes by these names, the same for the same seed."""
        return random.Random(f"{self._seed}/{'/'.join(map(str, names))}")  # noqa: S311 - to be repeated, not secret

    def channel(self, capacity: int | None = None) -> Channel[Any]:
        """A queue that nobody waits at once the run has failed."""
        channel: Channel[Any] = Channel(capacity)
        self.on_abort(channel.abort)
        return channel

    def on_abort(self, let_go: Callable[[], None]) -> None:
        """Have something called when the run has failed, in whichever thread notices: to let go those who wait.

        At once where it has failed already; perhaps twice.
        """
        self._on_abort.append(let_go)
        if self._aborted:  # perhaps too late for `abort` to have seen it
            let_go()

    @contextlib.contextmanager
    def client(self) -> Iterator[Client[Token]]:
        """A client for the thread that runs the workload, always the same: to prepare, and to tidy up."""
        client = self._own = self._own or self.referee.client()
        client.begin()
        try:
            yield client
        finally:
            client.end()

    def follow(self, client: Client[Token], body: Body) -> None:
        """When the calling thread ends, which it should at once, a new one goes on with its client."""
        self._following[client] = body

    def play(self, *bodies: Body) -> None:
        """Begin all bodies at once, each in a thread of its own; return when they and those that followed have ended.

        Raises:
            BaseException: the first that one of them ended with.

        """
        crew = self._crew = _Crew(self, len(bodies))
        while len(self._clients) < len(bodies):
            self._clients.append(self._mortal())
        try:
            for body, client in zip(bodies, self._clients, strict=False):
                crew.start(body, client)
            crew.watch(self._monitor)
        except BaseException:
            self.abort()  # a stalled thread is a daemon, and left behind
            crew.barrier.abort()
            raise
        if crew.failures:
            raise crew.failures[0]

    def begin(self, body: Body) -> None:
        """Have one more body begin, in a thread of its own, with a new client. For a body, one at a time."""
        assert self._crew is not None, "nothing is being played"
        self._crew.begin(body, self._mortal())

    def _mortal(self) -> Client[Token]:
        """A new client for a thread that something may befall."""
        client = self.referee.client()
        client.fate = self._mishaps.fate(client.number, lambda: self.going)
        return client

    def bury(self) -> None:
        """A thread died on purpose."""
        self._deaths.append(None)

    def abort(self) -> None:
        """Tell everybody to stop, and let go those who wait."""
        self._aborted = True
        for let_go in list(self._on_abort):
            let_go()

    def next_body(self, client: Client[Token]) -> Body | None:
        """What goes on with a client whose thread ends."""
        return self._following.pop(client, None)


class _Crew(Generic[Token]):
    """The threads of one `Stage.play`."""

    def __init__(self, stage: Stage[Token], count: int) -> None:
        self.barrier = threading.Barrier(max(count, 1))
        self.failures: list[BaseException] = []
        self._stage = stage
        self._threads: list[threading.Thread] = []  # grows while it is walked: successors are started by those before

    def start(self, body: Body, client: Client[Token]) -> None:
        self._start(self._first, body, client)

    def begin(self, body: Body, client: Client[Token]) -> None:
        self._start(self._act, body, client)

    def watch(self, monitor: Monitor[Token]) -> None:
        for thread in self._threads:
            while thread.is_alive():
                thread.join(monitor.pause_seconds)
                monitor.tick()

    def _start(self, target: Callable[[Body, Client[Token]], None], body: Body, client: Client[Token]) -> None:
        thread = threading.Thread(target=target, args=(body, client), name="stress", daemon=True)
        thread.start()
        self._threads.append(thread)  # started, or `watch` would pass it by; before the thread that starts it ends

    def _first(self, body: Body, client: Client[Token]) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):  # not all threads could be started
            self.barrier.wait()
            self._act(body, client)

    def _act(self, body: Body, client: Client[Token]) -> None:
        try:
            following = self._following(body, client)
            client.end()
            if following is not None:
                self._start(self._act, following, client)
        except AbandonedError:
            client.end()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the others must not wait for ever
            client.end()
            self.failures.append(error)
            self._stage.abort()

    def _following(self, body: Body, client: Client[Token]) -> Body | None:
        try:
            client.begin()
            body(client)
            return self._stage.next_body(client)
        except ThreadDiedError:
            self._stage.bury()
            return body
