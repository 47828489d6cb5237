"""A heap's options, checked: ``InvalidRequestError`` for what cannot be, ``TypeError`` for what is no number."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from .errors import InvalidRequestError
from .roster import DEFAULT_CACHE_BYTES, DEFAULT_REGION_BYTES
from .sizes import MAXIMUM_ALIGNMENT, checked_alignment, checked_size

if TYPE_CHECKING:
    from .protocols import Backing


def alignment_of(alignment: SupportsIndex | None, backing: Backing) -> int:
    """The alignment of its blocks."""
    if alignment is None:
        return backing.alignment
    # A file may be mapped at another page the next time, and its offsets are to be aligned then as well.
    lasting = backing.has_memory and not backing.growable
    return checked_alignment(alignment, backing.page_bytes if lasting else MAXIMUM_ALIGNMENT)


def limit_of(limit_bytes: SupportsIndex | None, backing: Backing) -> int | None:
    """The bound on its committed bytes."""
    if limit_bytes is None:
        return None
    if not backing.page_bytes:
        raise InvalidRequestError(f"{backing!r} commits nothing that could be limited; its size is its limit")
    limit = checked_size(limit_bytes, "limit_bytes")
    if limit < backing.page_bytes:
        raise InvalidRequestError(f"limit_bytes of {limit} is less than one page ({backing.page_bytes} bytes)")
    return limit


def cache_of(cache_bytes: SupportsIndex | None, backing: Backing) -> int:
    """What a thread's cache may hold."""
    if cache_bytes is None:
        return DEFAULT_CACHE_BYTES if backing.growable else 0
    return checked_size(cache_bytes, "cache_bytes")


def region_of(region_bytes: SupportsIndex | None) -> int:
    """The length of its longest ordinary region."""
    if region_bytes is None:
        return DEFAULT_REGION_BYTES
    size = checked_size(region_bytes, "region_bytes")
    if size == 0:
        raise InvalidRequestError("region_bytes must be positive: 0")
    return size
