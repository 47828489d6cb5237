"""Names of tests that many mutants share."""

from __future__ import annotations


def meeting(first: str, second: str) -> str:
    """The search of every interleaving of two operations."""
    return f"tests/threads/test_interleavings.py::test_one_operation_at_any_point_of_another[{first}-{second}]"
