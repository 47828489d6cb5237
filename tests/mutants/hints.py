"""Names of tests that many mutants share."""

from __future__ import annotations


def meeting(first: str, second: str) -> str:
    """The search of every interleaving of two operations."""
    return f"tests/threads/test_interleavings.py::test_one_operation_at_any_point_of_another[{first}-{second}]"


def protocol(name: str) -> str:
    """The search of the schedules of a protocol."""
    return f"tests/threads/test_search.py::test_a_protocol_holds_under_every_schedule[{name}]"


def pool(name: str) -> str:
    """The search of the schedules of a pool's protocol."""
    return f"tests/threads/test_pool_interleavings.py::test_under_every_schedule_tried[{name}]"


def refusal(name: str) -> str:
    """What a thread's cache does not take in."""
    return f"tests/unit/test_cache.py::test_what_does_not_suit_is_refused[{name}]"
