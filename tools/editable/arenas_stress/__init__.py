"""Stands in for the installed package ``arenas_stress`` in editable installs: finds it in the checkout's ``stress/``.

The wheel carries ``stress/`` itself under this name, and this file not at all.
"""

from pathlib import Path

__path__ = [str(Path(__file__).parents[3] / "stress")]
