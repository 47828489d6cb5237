"""The stage: all begin at once, successors follow, the dead are replaced, and the first failure lets everybody go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from _allocators import Sound
from _package import module
from _runs import act, play

if TYPE_CHECKING:
    from collections.abc import Callable

channel = module("channel")
errors = module("errors")
stage_module = module("stage")


def test_all_bodies_begin_before_one_goes_on() -> None:
    met = threading.Barrier(4)

    def body(_client: Any) -> None:
        met.wait(timeout=30)

    assert act(Sound(), *[body] * 4).complaints() == []


def test_each_body_has_a_client_of_its_own() -> None:
    clients: list[Any] = []
    act(Sound(), *[clients.append] * 3)
    assert len({id(client) for client in clients}) == 3
    assert sorted(client.number for client in clients) == [0, 1, 2]


def test_successors_go_on_with_the_same_client_one_after_the_other() -> None:
    seen: list[tuple[Any, threading.Thread]] = []

    def script(stage: Any) -> None:
        def link(client: Any) -> None:
            seen.append((client, threading.current_thread()))
            if seen[0][1] is not threading.current_thread():
                assert not seen[0][0].mine
            client.free(client.allocate(10))
            if len(seen) < 5:
                stage.follow(client, link)

        stage.play(link)

    result = play(script, Sound())
    assert result.complaints() == []
    assert len({id(client) for client, _ in seen}) == 1
    assert len({id(thread) for _, thread in seen}) == 5
    assert result.allocations == 5


def test_play_waits_for_those_that_followed() -> None:
    finished: list[int] = []

    def script(stage: Any) -> None:
        def last(_client: Any) -> None:
            finished.append(1)

        def first(client: Any) -> None:
            stage.follow(client, last)

        stage.play(first, first)
        assert finished == [1, 1]

    assert play(script, Sound()).complaints() == []


def test_where_a_thread_dies_its_body_begins_again_in_another() -> None:
    attempts: list[threading.Thread] = []

    def body(client: Any) -> None:
        attempts.append(threading.current_thread())
        client.allocate(10)
        if len(attempts) < 3:
            raise errors.ThreadDiedError

    result = act(Sound(), body)
    assert result.complaints() == []
    assert len(set(attempts)) == 3
    assert (result.allocations, result.left_live) == (3, 3)
    assert result.notes == ["2 threads died on purpose"]


def test_the_first_failure_is_the_one_that_is_raised() -> None:
    """The others stop because of it, and what they say is not it."""
    failed = threading.Event()

    def script(stage: Any) -> None:
        items = stage.channel()

        def fails(_client: Any) -> None:
            raise ValueError("the first")

        def waits(_client: Any) -> None:
            items.get()

        def fails_later(_client: Any) -> None:
            try:
                items.get()
            except errors.AbandonedError:
                failed.set()
                raise RuntimeError("the second") from None

        with pytest.raises(ValueError, match="the first"):
            stage.play(fails, waits, fails_later)
        assert failed.is_set()
        assert not stage.going

    assert play(script, Sound()).complaints() == []


def test_a_failure_is_the_result_s() -> None:
    def fails(_client: Any) -> None:
        raise ValueError("on the way")

    result = act(Sound(), fails)
    assert result.failure.endswith("ValueError: on the way")
    assert not result.clean
    assert result.check == "not reached"


def test_whoever_asked_is_called_on_abort() -> None:
    called: list[str] = []

    def script(stage: Any) -> None:
        stage.on_abort(lambda: called.append("abort"))
        stage.abort()
        stage.abort()

    play(script, Sound())
    assert called == ["abort", "abort"]


def test_a_thread_that_cannot_be_started_leaves_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait for it at the barrier go home without having done anything."""
    ran: list[int] = []
    original = threading.Thread.start
    started: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        original(thread)

    monkeypatch.setattr(stage_module.threading.Thread, "start", start)
    result = act(Sound(), *[lambda _client: ran.append(1)] * 3)
    assert "can't start new thread" in result.failure
    for thread in started:
        thread.join(timeout=30)
    assert ran == []


def test_a_successor_that_cannot_be_started_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its work would be left undone in silence, and whoever waits for it would wait for ever."""
    original = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if threading.current_thread().name == "stress":
            raise RuntimeError("can't start new thread")
        original(thread)

    monkeypatch.setattr(stage_module.threading.Thread, "start", start)

    def script(stage: Any) -> None:
        channel = stage.channel()
        stage.play(lambda client: stage.follow(client, lambda _client: channel.put(1)), lambda _client: channel.get())

    assert "can't start new thread" in str(play(script, Sound()).failure)


def test_a_client_that_has_ended_holds_no_sweep_back() -> None:
    def script(stage: Any) -> None:
        with stage.client() as client:
            assert client._journal.at_least < module("sweep").NEVER
        assert client._journal.at_least == module("sweep").NEVER
        stage.play(lambda client: None)
        assert stage.referee.clients[-1]._journal.at_least == module("sweep").NEVER

    assert play(script, Sound()).complaints() == []


def test_random_numbers_go_by_names_and_seed() -> None:
    drawn: list[float] = []

    def script(stage: Any) -> None:
        drawn.extend(stage.random("larson", number).random() for number in (1, 1, 2))

    play(script, Sound(), seed=1)
    play(script, Sound(), seed=1)
    play(script, Sound(), seed=2)
    assert drawn[0] == drawn[1] == drawn[3]
    assert len(set(drawn)) == 4


def test_numbers_of_the_original_are_scaled() -> None:
    scaled: list[int] = []
    play(lambda stage: scaled.extend([stage.scaled(1000), stage.scaled(3), stage.scaled(3, 2)]), Sound(), scale=0.1)
    assert scaled == [100, 1, 2]


# Channels


def started(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """A thread that makes a call; what came of it."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(call())
        except errors.AbandonedError as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def test_a_channel_is_first_in_first_out() -> None:
    items = channel.Channel()
    for number in range(5):
        items.put(number)
    assert [items.get() for _ in range(5)] == list(range(5))


def test_an_empty_channel_is_waited_at() -> None:
    items = channel.Channel()
    thread, outcome = started(items.get)
    items.put("late")
    thread.join(timeout=30)
    assert outcome == ["late"]


def test_a_full_channel_is_waited_at() -> None:
    items = channel.Channel(capacity=1)
    items.put("first")
    thread, outcome = started(lambda: items.put("second"))
    assert len(items._items) == 1
    assert items.get() == "first"
    thread.join(timeout=30)
    assert outcome == [None]
    assert items.get() == "second"


@pytest.mark.parametrize("waiting", ["get", "put"])
def test_an_aborted_channel_lets_go(waiting: str) -> None:
    items = channel.Channel(capacity=1)
    if waiting == "put":
        items.put("in the way")
    thread, outcome = started(items.get if waiting == "get" else lambda: items.put("more"))
    items.abort()
    thread.join(timeout=30)
    assert isinstance(outcome[0], errors.AbandonedError)
    with pytest.raises(errors.AbandonedError):  # for good
        items.get()
