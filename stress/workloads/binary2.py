"""As binary, with smaller blocks: what each costs besides its bytes shows."""

from __future__ import annotations

from . import binary

WORKLOAD = binary.workload("binary2", 16, 112, 4000)
