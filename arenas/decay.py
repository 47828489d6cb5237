"""When a free page counts as idle: generations of the clock, one byte a page."""

from __future__ import annotations

from math import inf

from .region import ALL_MARKS

# A page freed in one step of the clock is idle this many steps later; so it goes within an eighth of `decay_seconds`
# before it is due.
_STEPS = 8


class Decay:
    """Divides time into steps, and says which marks on pages have expired.

    Marks come round again after 255 steps. That is no ambiguity: pages are freed by heap calls, and the first call in
    a new step expires what is due; after a longer pause everything is.
    """

    def __init__(self, seconds: float | None) -> None:
        """``None``: pages never expire by themselves. 0: they are given back as soon as they are free."""
        self.seconds = seconds
        self._last_step = 0
        self.generation = 1

    def due(self, now: float) -> float:
        """When the step after ``now`` begins."""
        return (int(now / self.seconds * _STEPS) + 1) * self.seconds / _STEPS if self.seconds else inf

    def expired(self, now: float) -> bytes | None:
        """The marks that have expired, at the first call in a step; None when there is nothing to do."""
        if not self.seconds:
            return None
        step = int(now / self.seconds * _STEPS)
        if step == self._last_step:
            return None
        pause = step - self._last_step
        self._last_step = step
        self.generation = _mark(step)
        if pause >= _STEPS:
            return ALL_MARKS
        recent = bytes(_mark(step - age) for age in range(_STEPS))
        return ALL_MARKS.translate(None, recent)


def _mark(step: int) -> int:
    return 1 + step % len(ALL_MARKS)
