"""The protocols that come with this; a new one is a new class in one of these modules."""

from __future__ import annotations

from typing import Final

from ..protocol import Protocol
from . import ends, pools, views, waits, ways_back, wholes

PROTOCOLS: Final[dict[str, type[Protocol]]] = {
    name: kind
    for module in (ends, ways_back, views, waits, wholes, pools)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Protocol) and len(kind.threads()) > 1
}
"""Those with threads; what others share has none, or only one."""
