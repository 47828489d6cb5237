"""Schedules: who runs when, in words that can be typed again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import UsageError
from .turns import NAMES, Turn


@dataclass(frozen=True)
class Schedule:
    """Who runs when: ``A37 B C12 A`` stops A after 37 steps, then B runs as far as it gets, then C for 12 steps, …"""

    turns: tuple[Turn, ...] = ()

    @classmethod
    def read(cls, text: str) -> Schedule:
        """From what ``str`` makes of one. Raises ``UsageError``."""
        return cls(tuple(_turn(word, text) for word in text.split()))

    def __str__(self) -> str:
        return " ".join(NAMES[turn.thread] + ("" if turn.steps is None else str(turn.steps)) for turn in self.turns)

    @property
    def preemptions(self) -> int:
        """How many turns are stopped by the schedule, not by the thread's end or a wait."""
        return sum(turn.steps is not None for turn in self.turns)


def _turn(word: str, text: str) -> Turn:
    if not re.fullmatch(rf"[{NAMES}]([1-9][0-9]*)?", word):
        turn = f"a thread ({', '.join(NAMES)}) and, if it is stopped, after how many steps"
        raise UsageError(f"{word!r} in the schedule {text!r} is no turn: {turn}")
    return Turn(NAMES.index(word[0]), int(word[1:]) if word[1:] else None)
