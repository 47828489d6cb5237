"""Threads that run one at a time, and change turns where a plan says so.

A plan is a list of turns: a thread, and after how many of its steps (see ``steps``) it is stopped; ``None``: it goes
on until it ends or has to wait. After the last of them the first thread that can run does, each as far as it gets.
With the same plan everything happens in the same order again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from .points import Point
    from .tracing import Tracer

Worker = Generator[None, None, None]
"""What a thread does; see ``Turns``."""

NAMES: Final = "ABCD"
"""Of the threads, for people."""
BEGIN_SECONDS: Final = 1000.0
_PATIENCE_SECONDS: Final = 60  # long enough for any machine, short enough to end a run that is stuck


class Turn(NamedTuple):
    """A thread's number, and after how many steps it is stopped; None: when it ends, or has to wait."""

    thread: int
    steps: int | None


class Abandoned(BaseException):
    """Ends the threads of a run in which none can go on."""


class DeadlockError(AssertionError):
    """Every thread that has not ended waits, and nothing will wake it."""


class StuckError(AssertionError):
    """A thread comes no further, and is not known to wait: perhaps for a real lock, which no protocol must use."""


@dataclass
class Played:
    """A turn as it was played: who could have had it, where its steps were taken, whether the plan stopped it."""

    thread: int
    choices: list[int]
    path: list[Point] = field(default_factory=list)
    stopped: bool = False


class _Thread:
    """One worker's thread. It runs only while it holds the baton."""

    def __init__(self, number: int, worker: Worker, live: Callable[[_Thread, Worker], None]) -> None:
        self.number = number
        self.baton = threading.Lock()
        self.baton.acquire()
        self.thread = threading.Thread(target=live, args=(self, worker), daemon=True)
        self.ready: Callable[[], bool] | None = None  # what it waits for
        self.deadline: float | None = None
        self.counts = False  # whether its steps count just now
        self.ended = False
        self.error: BaseException | None = None

    def can_run(self, now: float) -> bool:
        """Whether it has something to do."""
        if self.ended:
            return False
        return self.ready is None or self.ready() or (self.deadline is not None and now >= self.deadline)


class Turns:
    """One run. A worker is a generator: what comes before its first ``yield`` is done alone, before the others begin;
    what comes after a second one is played, but has no steps.
    """

    current: ClassVar[Turns | None] = None

    def __init__(self, plan: list[Turn], tracer: Tracer) -> None:
        self.played: list[Played] = []
        self.now = BEGIN_SECONDS
        self.timeouts = 0  # how often nobody could run before somebody's time was up
        self.waited: set[int] = set()  # who has had to wait for something, a lock perhaps
        self._plan = deque(plan)
        self._tracer = tracer
        self._left: int | None = None  # steps until the plan stops the running thread
        self._threads: list[_Thread] = []
        self._by_ident: dict[int, _Thread] = {}
        self._over = threading.Lock()
        self._over.acquire()
        self._ending: _Thread | None = None
        self._dead: DeadlockError | None = None

    def run(self, workers: list[Worker]) -> None:
        """Play the workers to their ends; raises what one of them raised, or ``DeadlockError``."""
        for number, worker in enumerate(workers):
            thread = _Thread(number, worker, self._live)
            thread.thread.start()
            if not self._over.acquire(timeout=_PATIENCE_SECONDS):
                raise StuckError(f"thread {NAMES[number]} is stuck before it begins")
            self._threads.append(thread)
        Turns.current = self
        try:
            self._pass_on(None)
            if not self._over.acquire(timeout=_PATIENCE_SECONDS):
                last = self.played[-1]
                raise StuckError(f"thread {NAMES[last.thread]} is stuck after {len(last.path)} steps")
        finally:
            Turns.current = None
        for thread in self._threads:
            thread.thread.join(_PATIENCE_SECONDS)
        for error in (*(thread.error for thread in self._threads), self._dead):
            if error is not None:
                raise error

    def _live(self, thread: _Thread, worker: Worker) -> None:
        try:
            next(worker)
            self._by_ident[threading.get_ident()] = thread
            self._over.release()
            self._take_baton(thread)
            self._tracer.begin_thread()
            thread.counts = True
            next(worker, None)
            thread.counts = False
            self._tracer.end_thread()
            next(worker, None)
        except Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to whoever called `run`
            if self._dead is None:  # else it is what comes of being abandoned
                thread.error = error
        thread.counts = False
        self._tracer.end_thread()
        del worker
        if self._by_ident.pop(threading.get_ident(), None) is None:
            thread.ended = True  # it failed in its preparation
            self._over.release()
            return
        thread.ended = True
        self._ending = thread
        self._pass_on(None)

    # Whose turn it is

    def wait(self, ready: Callable[[], bool], timeout: float | None) -> bool:
        """Have the others run until ``ready`` is true, or the time is up; whether it is true."""
        if ready() or timeout == 0:
            return ready()
        thread = self._by_ident.get(threading.get_ident())
        if thread is None:
            raise DeadlockError("whoever prepares or verifies would wait for ever")
        if self._dead is not None:
            raise Abandoned
        self.waited.add(thread.number)
        thread.ready = ready
        thread.deadline = None if timeout is None else self.now + timeout
        self._pass_on(thread)
        thread.ready = thread.deadline = None
        return ready()

    def give_way(self) -> None:
        """Let another thread run, if one can."""
        thread = self._by_ident.get(threading.get_ident())
        if thread is not None and self._dead is None:
            self._pass_on(thread, stopped=True)

    def _pass_on(self, thread: _Thread | None, *, stopped: bool = False) -> None:
        """Give the turn to the next thread, to one just stopped only if there is no other; wait until it comes back."""
        able = [t for t in self._threads if t.can_run(self.now) and not (stopped and t is thread)]
        if not able:
            able = [thread] if stopped and thread is not None else self._let_time_pass()
        if not able:
            self._over.release()
            return
        while self._plan and self._plan[0].thread not in [t.number for t in able]:
            self._plan.popleft()
        turn = self._plan.popleft() if self._plan else Turn(able[0].number, None)
        self._left = turn.steps
        self.played.append(Played(turn.thread, [t.number for t in able]))
        following = self._threads[turn.thread]
        following.baton.release()
        if thread is not None:
            self._take_baton(thread)

    def _take_baton(self, thread: _Thread) -> None:
        thread.baton.acquire()
        if self._ending is not None:
            # Its thread-local state dies with it, before anybody goes on.
            self._ending.thread.join(_PATIENCE_SECONDS)
            self._ending = None
        if self._dead is not None:
            raise Abandoned

    def _let_time_pass(self) -> list[_Thread]:
        waiting = [thread for thread in self._threads if not thread.ended]
        deadlines = [thread.deadline for thread in waiting if thread.deadline is not None]
        if deadlines:
            self.now = min(deadlines)
            self.timeouts += 1
            return [thread for thread in waiting if thread.can_run(self.now)]
        if waiting and self._dead is None:
            self._dead = DeadlockError(f"{len(waiting)} of {len(self._threads)} threads wait for ever")
        return waiting[:1]

    def step(self, code: CodeType, offset: int) -> None:
        """A thread is about to take a step: here it may be stopped."""
        thread = self._by_ident.get(threading.get_ident())
        if thread is not None and thread.counts:
            played = self.played[-1]
            played.path.append((code, offset))
            if len(played.path) == self._left:
                played.stopped = True
                self._pass_on(thread, stopped=True)


def watch(code: CodeType, offset: int) -> None:
    """What is told of each step."""
    if Turns.current is not None:
        Turns.current.step(code, offset)
