"""Size arithmetic: pure functions over integers, and the checks of what callers pass in."""

from __future__ import annotations

import math
import operator
import re
import sys
from typing import SupportsIndex

from .errors import InvalidRequestError

#: No request can exceed what an address can name.
MAXIMUM_SIZE = sys.maxsize

#: Positions keep the address modulo this number, so that aligning a position aligns the address.
MAXIMUM_ALIGNMENT = 1 << 30

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def round_up(number: int, step: int) -> int:
    """The smallest multiple of ``step`` that is at least ``number``.

    >>> round_up(100, 64)
    128
    """
    return -(-number // step) * step


def round_down(number: int, step: int) -> int:
    """The largest multiple of ``step`` that is at most ``number``.

    >>> round_down(100, 64)
    64
    """
    return number // step * step


def is_power_of_two(number: int) -> bool:
    """Whether ``number`` is 1, 2, 4, 8, …"""
    return number > 0 and number & (number - 1) == 0


def size_class(size: int) -> int:
    """``size`` rounded up to one of eight steps a doubling: a bounded set of lengths, at most an eighth too long.

    >>> size_class(1000), size_class(1025)
    (1024, 1152)
    """
    return round_up(size, 1 << max(0, (size - 1).bit_length() - 4))


def checked_size(size: SupportsIndex, what: str = "size") -> int:
    """``size`` as an ``int`` that an address space can hold.

    Raises ``TypeError`` for what is no integer and ``InvalidRequestError`` for a negative or absurd one.
    """
    number = operator.index(size)
    if number < 0:
        raise InvalidRequestError(f"{what} must not be negative: {number}")
    if number > MAXIMUM_SIZE:
        raise InvalidRequestError(f"{what} of {number} bytes exceeds the address space ({MAXIMUM_SIZE} bytes)")
    return number


def checked_alignment(alignment: SupportsIndex, maximum: int = MAXIMUM_ALIGNMENT) -> int:
    """``alignment`` as an ``int``: a power of two up to ``maximum``, else ``InvalidRequestError``."""
    number = operator.index(alignment)
    if not is_power_of_two(number):
        raise InvalidRequestError(f"alignment must be a power of two: {number}")
    if number > maximum:
        raise InvalidRequestError(f"alignment {number} exceeds the largest, {maximum}")
    return number


def parse_size(text: str) -> int:
    """Bytes from a text such as ``"4096"``, ``"512M"`` or ``"1.5 GiB"``; units are powers of 1024.

    >>> parse_size("2k")
    2048
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", text, re.IGNORECASE)
    if match is None:
        raise InvalidRequestError(f"not a size: {text!r} (expected such as 4096, 512M or 1.5G)")
    return (
        math.floor(float(match[1]) * _UNITS[match[2].lower()])
        if "." in match[1]
        else (int(match[1]) * _UNITS[match[2].lower()])
    )
