"""A pool's protocols, searched schedule by schedule: nobody is served twice, nobody forgotten.

As ``test_search.py``, which says how a schedule that failed is played again.
"""

from __future__ import annotations

import pytest

from tests.threads._interleave import interleave, search

pytest.importorskip("numpy")

POOLS = [name for name, kind in interleave.PROTOCOLS.items() if kind.needs == ("numpy",)]


@pytest.mark.parametrize("name", POOLS)
def test_under_every_schedule_tried(name: str) -> None:
    """Each order, each preemption in each, and some with more."""
    search(interleave.PROTOCOLS[name], "test_pool_interleavings.py")
