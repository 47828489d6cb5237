"""Settings of the property tests."""

from __future__ import annotations

from hypothesis import settings

# No deadline: a slow machine is no failure. The blob repeats a failure elsewhere.
settings.register_profile("arenas", deadline=None, print_blob=True)
settings.load_profile("arenas")
