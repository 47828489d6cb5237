"""Makes the helpers beside these tests importable: pytest, in importlib mode, does not."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = str(Path(__file__).resolve().parent)
if _HERE not in sys.path:
    sys.path.append(_HERE)  # last: nothing here may hide anything
