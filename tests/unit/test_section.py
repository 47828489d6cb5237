"""Code that interrupted a critical section can tell; code that merely waits for one cannot be mistaken for it."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from arenas.section import interrupts_section, section

if TYPE_CHECKING:
    from collections.abc import Callable


def meet() -> bool:
    """Asks as an arena does: from a helper of the section that wants the lock."""
    return interrupts_section()


@section
def inner() -> bool:
    return meet()


@section
def outer(inside: Callable[[], bool]) -> bool:
    return inside()


def through(inside: Callable[[], bool]) -> bool:
    return inside()


def test_the_section_that_wants_in_does_not_count() -> None:
    """One that is just being entered has interrupted nothing."""
    assert not inner()
    assert not through(inner)


def test_a_section_further_up_counts() -> None:
    assert outer(inner)


def test_a_section_counts_through_any_number_of_frames() -> None:
    assert outer(lambda: through(lambda: through(inner)))


def test_a_section_that_ended_does_not_count() -> None:
    outer(lambda: True)
    assert not inner()


def test_one_that_calls_itself_counts() -> None:
    assert outer(lambda: outer(meet))


def test_functions_keep_working() -> None:
    """Marking changes nothing: the same function, no wrapper in the way of a hot path."""

    def plain() -> int:
        return 5

    assert section(plain) is plain


def test_a_signal_handler_knows_what_it_interrupted() -> None:
    answers: list[bool] = []

    def interrupt() -> bool:
        signal.raise_signal(signal.SIGUSR1)
        return True

    before = signal.signal(signal.SIGUSR1, lambda *_: answers.append(inner()))
    try:
        outer(interrupt)
        interrupt()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert answers == [True, False]


def test_another_thread_inside_does_not_count() -> None:
    """A lock taken by another thread is worth waiting for."""
    inside, leave = threading.Event(), threading.Event()

    def stay() -> bool:
        inside.set()
        return leave.wait(60)

    thread = threading.Thread(target=outer, args=(stay,))
    thread.start()
    try:
        assert inside.wait(60)
        assert not inner()
    finally:
        leave.set()
        thread.join()
