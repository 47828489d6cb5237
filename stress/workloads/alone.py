"""For workloads in which each thread plays by itself, round after round, on blocks of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client import Client
    from ..stage import Body, Stage


def play(stage: Stage[Any], play_round: Callable[[Client[Any]], None]) -> None:
    """Have each thread play rounds, the first to its end in any case. Every round begins and ends with nothing live."""
    stage.play(*(body(stage, play_round) for _ in range(stage.threads)))


def body(stage: Stage[Any], play_round: Callable[[Client[Any]], None]) -> Body:
    """One thread's part."""
    rounds = stage.rounds()  # goes on where a thread that died has left it

    def play_rounds(client: Client[Any]) -> None:
        for _ in rounds:
            free_all(client)
            play_round(client)
            free_all(client)

    return play_rounds


def free_all(client: Client[Any]) -> None:
    """Give back all blocks that a client has allocated, oldest first."""
    for held in list(client.mine):
        client.free(held)
