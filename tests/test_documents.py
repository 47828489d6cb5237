"""What the documents show and list is what the package is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import arenas
import arenas.errors

ROOT = Path(__file__).parent.parent


def test_the_readme_s_example_runs(tmp_path: Path) -> None:
    """The example a newcomer copies works as it stands, and prints the figure it speaks of."""
    pytest.importorskip("numpy")
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert example is not None
    program = tmp_path / "example.py"
    program.write_text(example[1], "utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == [str(1080 * 1920 * 3)]
    assert done.stderr == ""


def test_the_layer_table_lists_every_module() -> None:
    """The table of layers in docs/design.md names each module once, and none that is not there."""
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    table = text.split("## Layers")[1].split("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = sorted(name.rstrip("/") for row in rows for name in re.findall(r"`([^`]+)`", row))
    package = Path(arenas.__file__).parent
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    assert named == sorted(modules | packages)


def test_every_error_is_public() -> None:
    """Every exception of the tree can be caught by a name of the package's."""
    errors = {name for name, value in vars(arenas.errors).items() if isinstance(value, type)}
    assert {"ArenaError", "DoubleFreeError"} <= errors <= set(arenas.__all__)
