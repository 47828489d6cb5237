"""Numbers for people: three digits, a unit that fits, separators between thousands.

The space before a unit does not break: a figure is never parted from what it counts.
"""

from __future__ import annotations

from typing import Final

SPACE: Final = "\N{NO-BREAK SPACE}"

_DIGITS: Final = 3
_BINARY: Final = 1024
_PREFIXES: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MINUTE: Final = 60


def number(value: float, digits: int = _DIGITS) -> str:
    """``digits`` significant digits, but never an exponent and never a digit lost before a small point.

    >>> number(1234567), number(12.345), number(0.05), number(7)
    ('1,230,000', '12.3', '0.05', '7')
    """
    if not value:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - int(f"{rounded:e}".partition("e")[2]))
    text = f"{rounded:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: int) -> str:
    """Every digit: what is counted exactly is shown exactly."""
    return f"{value:,}"


def plural(value: int, noun: str) -> str:
    r"""A count and its noun.

    >>> plural(1, "run"), plural(1200, "run")
    ('1\xa0run', '1,200\xa0runs')
    """
    return f"{value:,}{SPACE}{noun}{'' if value == 1 else 's'}"


def size(size_bytes: float) -> str:
    r"""A size in binary units.

    >>> size(512), size(1536), size(1023.9 * 1024)
    ('512\xa0B', '1.5\xa0KiB', '1\xa0MiB')
    """
    for prefix in _PREFIXES:
        if round(size_bytes) < _BINARY or prefix == _PREFIXES[-1]:
            return f"{_three_or_whole(size_bytes)}{SPACE}{prefix}"
        size_bytes /= _BINARY
    raise AssertionError("the last unit takes everything")


def duration(seconds: float) -> str:
    r"""A span of time.

    >>> duration(0.0123), duration(1.934), duration(125)
    ('12.3\xa0ms', '1.93\xa0s', '2\xa0min 5\xa0s')
    """
    if seconds >= _MINUTE:
        minutes, rest = divmod(round(seconds), _MINUTE)
        return f"{count(minutes)}{SPACE}min {rest}{SPACE}s" if rest else f"{count(minutes)}{SPACE}min"
    if seconds >= 1 or not seconds:
        return f"{number(seconds)}{SPACE}s"
    if seconds >= 1e-3:  # noqa: PLR2004 - a millisecond
        return f"{number(seconds * 1e3)}{SPACE}ms"
    return f"{number(seconds * 1e6)}{SPACE}µs"


def percent(share: float) -> str:
    r"""A share of 1, to a tenth of a percent.

    >>> percent(0.9891), percent(1)
    ('98.9\xa0%', '100.0\xa0%')
    """
    return f"{share * 100:.1f}{SPACE}%"


def _three_or_whole(value: float) -> str:
    """Below the next unit lie up to 1023: four digits, all of them known."""
    return f"{round(value):,}" if round(value) >= 10**_DIGITS else number(value)
