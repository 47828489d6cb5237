"""The list of mutants fits the package, and what makes mutants refuses what it would get wrong."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.mutants import declared, run, table
from tests.mutants.guards import guards_of
from tests.mutants.mutant import Edit, Kind, Mutant, StaleMutantError, edit

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
class Box:
    def put(self, one):
        with self.lock:
            self.live[one.serial] = one
        self._drain()

    def end(self, one):
        with self.lock: pass
        if self.live.pop(one.serial, None):
            return True
        return False

def end(box, one):
    del box.live[one.serial]
    one.claim()
    wait_for(box.lock.acquire)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "box.py").write_text(SOURCE, "utf-8")
    return tmp_path


def mutant(removed: str, instead: str = "pass", where: str = "box.py::Box.put", kind: Kind = "lock") -> Mutant:
    return Mutant(kind, where, textwrap.dedent(removed), textwrap.dedent(instead), "all is lost", ("tests/x.py",))


def test_every_declared_mutant_fits_the_package() -> None:
    """Each fragment is there once; every lock, drain and claim has a mutant or a reason for having none."""
    fitted = declared.fitted(declared.MUTANTS, declared.EXEMPT, run.PACKAGE)
    assert len(fitted) == len(declared.MUTANTS) > 50
    assert all(found.source != (run.PACKAGE / one.file).read_text("utf-8") for one, found in fitted)


def test_every_declared_mutant_says_who_notices() -> None:
    """By tests that are among those the unmutated package must pass."""
    for one in declared.MUTANTS:
        assert one.tests
        assert one.why
        for test in one.tests:
            assert test.startswith(tuple(f"{folder}/" for folder in run.SELECTION))
            assert (run.ROOT / test.partition("::")[0]).is_file()


def test_part_of_a_line_is_replaced(package: Path) -> None:
    """And nothing else changes."""
    found = edit(mutant("with self.lock:", "if True:"), package)
    assert found.source == SOURCE.replace("with self.lock:", "if True:", 1)
    assert (found.first, found.last) == (4, 4)


def test_whole_lines_are_replaced_at_their_indentation(package: Path) -> None:
    """A fragment of several lines begins at the margin."""
    found = edit(
        mutant("\nwith self.lock:\n    self.live[one.serial] = one\n", "\nif True:\n    pass\nelse:\n    one = 2\n"),
        package,
    )
    lines = found.source.splitlines()
    assert lines[3:8] == [
        "        if True:",
        "            pass",
        "        else:",
        "            one = 2",
        "        self._drain()",
    ]
    assert (found.first, found.last) == (4, 5)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (mutant("with self.latch:"), "0 times"),
        (mutant("self", where="box.py::Box.put"), "4 times"),
        (mutant("with self.lock:", where="box.py::Box"), "2 times"),
        (mutant("with self.lock:", where="box.py"), "2 times"),
        (mutant("return True\nreturn False", where="box.py::Box.end"), "0 times"),
        (mutant("with self.lock:", where="box.py::Box.take"), "no such function"),
        (mutant("with self.lock:", where="boxes.py::Box.put"), "no such module"),
        (mutant("with self.lock:", "if:"), "no Python"),
        (mutant("self.lock", "a\nb"), "part of one"),
    ],
)
def test_what_does_not_fit_is_refused(package: Path, one: Mutant, says: str) -> None:
    """A fragment that is not there exactly once, in a function that is there; a replacement that is no Python."""
    with pytest.raises(StaleMutantError, match=says):
        edit(one, package)


def test_guards_are_found(package: Path) -> None:
    """Each kind, wherever it stands."""
    assert [(guard.kind, guard.where.partition("::")[2], guard.line) for guard in guards_of(package)] == [
        ("lock", "Box.put", 4),
        ("drain", "Box.put", 6),
        ("lock", "Box.end", 9),
        ("claim", "Box.end", 10),
        ("claim", "end", 15),
        ("claim", "end", 16),
        ("lock", "end", 17),
    ]


def test_a_guard_without_a_mutant_is_refused(package: Path) -> None:
    """Unless it is exempt; and an exemption of nothing is refused too."""
    mutants = [
        mutant("with self.lock:", "if True:"),
        mutant("self._drain()", kind="drain"),
        mutant("self.live.pop(one.serial, None)", "True", "box.py::Box.end", "claim"),
        mutant("one.claim()", "pass", "box.py::end", "claim"),
        mutant("wait_for(box.lock.acquire)", "pass", "box.py::end"),
    ]
    reasons: dict[tuple[Kind, str], str] = {("claim", "box.py::end"): "", ("lock", "box.py::Box.end"): ""}
    assert len(declared.fitted(mutants, reasons, package)) == 5
    with pytest.raises(StaleMutantError) as raised:
        declared.fitted(mutants[1:], {("drain", "box.py::Box.put"): "", ("lock", "box.py::Box.end"): ""}, package)
    assert str(raised.value).splitlines() == [
        "no mutant removes the lock at box.py:4 in Box.put",
        "no mutant removes the claim at box.py:15 in end",
        "nothing is exempt as the drain in box.py::Box.put",
    ]


def test_a_mutant_of_one_kind_covers_no_guard_of_another(package: Path) -> None:
    """A re-check that stands in the same line as a claim is not the claim."""
    one = mutant("if self.live.pop(one.serial, None):", "if True:", "box.py::Box.end", "re-check")
    with pytest.raises(StaleMutantError, match=r"the claim at box\.py:10"):
        declared.fitted([one], {}, package)


@pytest.mark.parametrize(
    ("code", "output", "killed_by"),
    [
        (0, "tests/a.py::test_x PASSED [100%]", None),
        (
            1,
            "tests/a.py::test_x[a b] FAILED\nFAILED tests/a.py::test_x[a b] - assert 1 == 2",
            "tests/a.py::test_x[a b]",
        ),
        (1, "ERROR tests/a.py::test_x", "tests/a.py::test_x"),
        (1, "tests/a.py::test_w PASSED [ 50%]\ntests/a.py::test_x \n+++ Timeout +++", "timeout in tests/a.py::test_x"),
        (1, "tests/a.py::test_x +++++ Timeout +++++", "timeout in tests/a.py::test_x"),
        (None, "tests/a.py::test_x ", "timeout in tests/a.py::test_x"),
        (-11, "tests/a.py::test_x ", "SIGSEGV in tests/a.py::test_x"),
    ],
)
def test_who_noticed(code: int | None, output: str, killed_by: str | None) -> None:
    """As pytest's output tells, also where it was cut short."""
    assert run.killed_by(code, output) == killed_by


@pytest.mark.parametrize(
    ("code", "output"),
    [
        (2, "ERROR tests/a.py"),
        (4, "ERROR: file or directory not found: tests/a.py"),
        (5, "no tests ran"),
        (1, "E   NameError: name 'treading' is not defined\nFAILED tests/a.py::test_x"),
    ],
)
def test_what_is_no_verdict_is_refused(code: int, output: str) -> None:
    """Tests that could not be run, and mutants that are no program, kill nothing."""
    with pytest.raises(run.BrokenMutantError):
        run.killed_by(code, output)


def test_the_table() -> None:
    """A row tells what was removed, where, and by whom it was missed, in columns."""
    one = mutant("\nwith self.lock:\n    self.live[one.serial] = one\n")
    found = Edit("", 4, 5)
    assert re.split(" {2,}", table.row(one, found, run.Verdict("tests/a.py::test_x", 1.25))) == [
        *("lock", "Box.put", "box.py:4", "with self.lock: self.live[one.serial] = one", "1.2", "tests/a.py::test_x")
    ]
    assert table.row(one, found, run.Verdict(None, 1)).endswith("NOBODY: all is lost")
    assert table.header().index("noticed by") == table.row(one, found, run.Verdict("whom", 1)).index("whom")
