"""What is installed: exactly two import packages and their data, one dependency, one command.

In a checkout the wheel is built first. Where only the tests were copied, the installed wheel is looked at.
"""

from __future__ import annotations

import email
import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import arenas

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).parents[1]
IN_CHECKOUT = (ROOT / "arenas" / "__init__.py").is_file()
# What the build reads; the rest (an environment, caches, a repository) is not copied.
SOURCES = ("arenas", "stress", "tests", "tools", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore")


class Contents(NamedTuple):
    """The files of a wheel, or of what was installed from one, and what they say about it."""

    files: frozenset[str]
    metadata: Message
    entry_points: str

    @property
    def packages(self) -> set[str]:
        return {name.partition("/")[0] for name in self.files if ".dist-info/" not in name}

    def below(self, folder: str) -> set[str]:
        return {name.removeprefix(f"{folder}/") for name in self.files if name.startswith(f"{folder}/")}


def run_build(kind: str, source: Path, destination: Path) -> Path:
    """Builds a wheel or an sdist with what is installed here: no network, no environment of its own."""
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(destination), str(source)]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert process.returncode == 0, process.stdout + process.stderr
    (built,) = destination.iterdir()
    return built


def read_wheel(path: Path) -> Contents:
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
        return Contents(
            frozenset(names),
            email.message_from_bytes(wheel.read(f"{info}/METADATA")),
            wheel.read(f"{info}/entry_points.txt").decode(),
        )


def read_installed() -> Contents:
    distribution = importlib.metadata.distribution("arenas")
    # Leaves out what is not of the wheel: the command's script, which lies elsewhere, and compiled files.
    files = {str(path) for path in distribution.files or () if not str(path).startswith("..") and path.suffix != ".pyc"}
    metadata = email.message_from_string(distribution.read_text("METADATA") or "")
    return Contents(frozenset(files), metadata, distribution.read_text("entry_points.txt") or "")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, so that builds of several test processes do not meet."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def contents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    if not IN_CHECKOUT:
        return read_installed()
    return read_wheel(run_build("wheel", request.getfixturevalue("checkout"), tmp_path_factory.mktemp("wheel")))


def test_exactly_two_import_packages(contents: Contents) -> None:
    assert contents.packages == {"arenas", "arenas_stress"}


def test_the_tested_package_is_the_one_meant() -> None:
    """In a checkout its own; otherwise the installed one, and never a checkout that happens to be near."""
    home = ROOT if IN_CHECKOUT else Path(sysconfig.get_path("purelib"))
    assert Path(arenas.__file__).resolve().is_relative_to(home.resolve())


def test_type_hints_are_announced(contents: Contents) -> None:
    assert "arenas/py.typed" in contents.files


def test_recorded_traces_are_packed(contents: Contents) -> None:
    assert [name for name in contents.below("arenas_stress") if re.fullmatch(r"traces/[^/]+\.trace\.gz", name)]


def test_licence_is_packed(contents: Contents) -> None:
    assert [name for name in contents.files if name.endswith(".dist-info/licenses/LICENSE")]


def test_nothing_but_sources_and_data(contents: Contents) -> None:
    """Every file is code, the marker, a trace, or of a report's look: no caches, tests or notes."""
    packed = contents.below("arenas") | contents.below("arenas_stress")
    rest = {name for name in packed if not name.endswith((".py", ".trace.gz", "py.typed"))}
    assert {name for name in rest if not name.startswith("reports/templates/")} == set()


def test_what_reports_look_like_is_packed(contents: Contents) -> None:
    packed = {name for name in contents.below("arenas") if name.startswith("reports/templates/")}
    here = Path(arenas.__file__).parent
    assert packed == {path.relative_to(here).as_posix() for path in (here / "reports/templates").rglob("*.*")} != set()


@pytest.mark.skipif(not IN_CHECKOUT, reason="compares with the checkout")
@pytest.mark.parametrize(("folder", "package"), [("arenas", "arenas"), ("stress", "arenas_stress")])
def test_every_module_of_the_checkout_is_packed(contents: Contents, folder: str, package: str) -> None:
    modules = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*.py")}
    assert modules == {name for name in contents.below(package) if name.endswith(".py")}


def test_command(contents: Contents) -> None:
    assert "arenas-stress = arenas_stress.cli:main" in contents.entry_points


def test_one_dependency(contents: Contents) -> None:
    requirements = contents.metadata.get_all("Requires-Dist") or []
    needed = [requirement for requirement in requirements if "extra ==" not in requirement]
    assert [re.split(r"[^\w-]", requirement)[0] for requirement in needed] == ["sortedcontainers"]


def test_extras(contents: Contents) -> None:
    extras = set(contents.metadata.get_all("Provides-Extra") or ())
    assert extras == {"all", "bench", "metrics", "numpy", "record", "report", "stress"}


def test_no_upper_bound_on_python(contents: Contents) -> None:
    assert contents.metadata["Requires-Python"] == ">=3.11"


@pytest.mark.skipif(not IN_CHECKOUT, reason="builds from the checkout")
def test_the_sdist_builds_the_same_wheel(contents: Contents, checkout: Path, tmp_path: Path) -> None:
    for folder in ("sdist", "unpacked", "wheel"):
        (tmp_path / folder).mkdir()
    shutil.unpack_archive(run_build("sdist", checkout, tmp_path / "sdist"), tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert read_wheel(run_build("wheel", source, tmp_path / "wheel")).files == contents.files


def test_core_imports_no_optional_package() -> None:
    optional = ("numpy", "rich", "jinja2", "prometheus_client", "hypothesis", "pytest")
    program = "import sys; before = set(sys.modules); import arenas; print(*set(sys.modules) - before)"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in process.stdout.split()}
    assert "arenas" in loaded
    assert loaded.isdisjoint(optional)
