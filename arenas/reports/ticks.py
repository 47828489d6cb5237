"""Where an axis has its marks: round numbers, evenly spaced, from 0 to at least the highest value.

After P. S. Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990; for sizes in bytes the round numbers are the
powers of two.
"""

from __future__ import annotations

import math
from typing import Final

_ROUND: Final = (1, 2, 5, 10)


def ticks(highest: float, most: int = 5, *, binary: bool = False) -> list[float]:
    """At most ``most`` steps from 0 up; the last mark is the first that is not below ``highest``.

    With ``highest`` 0 (nothing ever happened) the axis goes to 1.
    """
    step = _step(highest / most, binary=binary) if highest > 0 else 1.0
    return [index * step for index in range(max(1, _steps(highest, step)) + 1)]


def _steps(highest: float, step: float) -> int:
    """How many steps reach ``highest``; one too many where rounding of the last place asked for it is taken back."""
    steps = math.ceil(highest / step)
    return steps - 1 if steps > 1 and (steps - 1) * step >= highest else steps


def _step(least: float, *, binary: bool) -> float:
    """The smallest round number that is at least ``least``."""
    if binary:
        return float(2 ** max(0, math.ceil(math.log2(least))))
    power = 10.0 ** math.floor(math.log10(least))
    return next(step for factor in _ROUND if (step := factor * power) >= least or factor == _ROUND[-1])
