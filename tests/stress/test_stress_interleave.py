"""The command ``interleave``: what it prints and writes, what it finds and replays, what it refuses."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _package import FOLDER, NAME, module

import arenas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    Call = Callable[..., tuple[int, list[str]]]

cli = module("cli")
interleave = module("interleave")

MINE = f'''
import threading
import helped
from {NAME}.interleave import Lock, Protocol

class Tickets(Protocol):
    """No two threads draw
    the same ``ticket``."""

    def prepare(self):
        self.last = 0
        self.drawn = []

    def a(self):
        yield
        self.last += 1
        self.drawn.append(self.last)

    b = a

    def verify(self):
        assert len(set(self.drawn)) == 2, self.drawn

class Locked(Tickets):
    """The same, and they do not."""

    def prepare(self):
        super().prepare()
        self.lock = Lock()

    def a(self):
        yield
        with self.lock:
            self.last += 1
            self.drawn.append(self.last)

    b = a

class Helped(Tickets):
    """Another module's steps are nobody's."""

    def a(self):
        yield
        helped.draw(self)

    b = a

class Leaves(Protocol):
    """A thread ends the program, and that with a clean status."""

    def a(self):
        yield
        raise SystemExit(0)

class Idle(Protocol):
    """Has no threads."""
'''
HELPED = """
def draw(protocol):
    protocol.last += 1
    protocol.drawn.append(protocol.last)
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody's protocols, in the folder where the command is typed."""
    (tmp_path / "mine.py").write_text(MINE, "utf-8")
    (tmp_path / "helped.py").write_text(HELPED, "utf-8")
    (tmp_path / "fails.py").write_text("1 / 0", "utf-8")
    (tmp_path / "leaves.py").write_text("raise SystemExit(0)", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    if sys.flags.safe_path:  # who asks for that names every folder
        sys.path.insert(0, str(tmp_path))
    yield
    for name in ("mine", "helped", "fails", "leaves"):
        sys.modules.pop(name, None)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """The command: its exit status, and what it printed."""

    def run(*words: str) -> tuple[int, list[str]]:
        status = cli.main(["interleave", *words])
        return status, capsys.readouterr().out.splitlines()

    return run


def typed(line: str) -> list[str]:
    """A command that was printed, as arguments."""
    words = shlex.split(line)
    return words[words.index("interleave") + 1 :]


def test_a_search_that_finds_nothing(call: Call, tmp_path: Path) -> None:
    """It says how to repeat it, what was promised and played, and the same again when it is repeated."""
    output = tmp_path / "results.json"
    status, lines = call("Park", "LastPage", "--schedules=8", f"--json={output}")
    assert status == 0
    assert "its memory is used again after that" in "\n".join(lines)
    assert lines[-1].startswith("clean: 2 protocols, ")
    found = json.loads(output.read_text("utf-8"))
    assert found["clean"]
    assert found["command"] == lines[0]
    assert f"--seed={found['seed']}" in lines[0]
    assert found["machine"]["arenas"] == arenas.__version__
    park, last_page = found["protocols"]
    assert (park["name"], last_page["name"]) == ("Park", "LastPage")
    assert park["schedules"] >= 8 + 8 // 4
    assert park["left_out"] > 0
    assert park["preemptions"] > 1
    assert park["clean"]
    assert park["broken"] is None

    again = tmp_path / "again.json"
    assert call(*typed(lines[0]), f"--json={again}")[0] == 0
    played = [each.pop("seconds") and each for each in found["protocols"]]
    repeated = json.loads(again.read_text("utf-8"))["protocols"]
    assert [each.pop("seconds") and each for each in repeated] == played


def test_the_search_without_names(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes every protocol that can be played here, and says which cannot."""
    short = {name: interleave.PROTOCOLS[name] for name in ("LastPage", "Returned")}
    monkeypatch.setattr(module("commands.interleave"), "PROTOCOLS", short)
    monkeypatch.setattr(short["Returned"], "needs", ("no_such_package",))
    status, lines = call("--schedules=2", "--seed=1")
    assert (status, lines[-1].partition(",")[0]) == (0, "clean: 1 protocol")
    assert lines[1].endswith("Returned (no_such_package)")


def test_the_list(call: Call) -> None:
    """Every protocol, by name; those named, if some are."""
    status, lines = call("--list")
    assert status == 0
    assert {line.split()[0] for line in lines if line.strip()} >= interleave.PROTOCOLS.keys()
    assert len([line for line in call("Park", "--list")[1] if "Park" in line]) == 1


def test_every_class_with_threads_is_listed() -> None:
    """Under its own name, no two under one."""
    classes = [
        kind
        for path in (FOLDER / "interleave" / "protocols").glob("*.py")
        for kind in vars(module(f"interleave.protocols.{path.stem}")).values()
        if isinstance(kind, type) and kind.__module__.endswith(path.stem) and hasattr(kind, "b")
    ]
    assert len(classes) > 40
    assert set(interleave.PROTOCOLS.values()) == set(classes)
    assert all(kind.promise() for kind in interleave.PROTOCOLS.values())


def test_a_promise_that_is_broken(call: Call, mine: None, tmp_path: Path) -> None:
    """The schedule, where threads were stopped, what was raised, and the command that shows it again, every time."""
    output = tmp_path / "results.json"
    status, lines = call("mine:Locked", "mine:Tickets", "--seed=1", f"--json={output}")
    text = "\n".join(lines)
    assert status == 1
    assert lines[-1].startswith("FAILED: 1 of 2 protocols, ")
    assert lines[-1].endswith(": mine:Tickets")
    assert "No two threads draw the same ticket." in text
    assert "AssertionError: [" in text
    (replay,) = [line for line in lines if line.startswith("replay: ")]
    holds, fails = json.loads(output.read_text("utf-8"))["protocols"]
    assert holds["clean"]
    assert not fails["clean"]
    broken = fails["broken"]
    assert broken["number"] == fails["schedules"]
    assert replay == f"replay: {broken['replay']}"
    assert typed(replay) == ["mine:Tickets", "--schedule", broken["schedule"]]
    (stop,) = broken["stops"]
    assert "stopped at mine.py:" in stop
    assert stop in text
    for _ in range(2):
        status, lines = call(*typed(replay))
        assert status == 1
        assert f"replay: {lines[0]}" == replay
        assert stop in lines


def test_a_thread_that_leaves_breaks_its_promise(call: Call, mine: None) -> None:
    """Its status is not the command's."""
    status, lines = call("mine:Leaves")
    assert status == 1
    assert "SystemExit: 0" in lines
    assert lines[-1].startswith("FAILED: 1 of 1 protocol, ")


def test_a_schedule_that_shows_nothing(call: Call, mine: None) -> None:
    """It says who had which turn, and where it was stopped."""
    status, lines = call("mine:Tickets", "--schedule=A1 B")
    assert status == 0
    assert [line.partition(":")[0] for line in lines[1:4]] == ["A", "B", "A"]
    assert lines[1].startswith("A: 1 steps, stopped at mine.py:")
    assert call("mine:Tickets", "--schedule=")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["Parks"], "there is no protocol 'Parks'; there are OneOfTwoFrees, "),
        (["Park", "--schedule=A37 X"], "'X' in the schedule 'A37 X' is no turn"),
        (["Park", "--schedule=A0"], "'A0' in the schedule"),
        (["Park", "--schedule=a3"], "'a3' in the schedule"),
        (["Park", "--schedule=A3 C"], "Park has the threads A, B, and not C"),
        (["Park", "--schedule=A30000 B"], "Park was not stopped as 'A30000 B' says"),
        (["Park", "Drain", "--schedule=A3"], "--schedule is of one protocol, not of 2"),
        (["--schedule=A3"], "--schedule is of one protocol"),
        (["Park", "--json=no/such/folder.json"], "there is no folder no/such"),
        (["nowhere:Tickets"], "'nowhere' cannot be imported: ModuleNotFoundError"),
        (["fails:Tickets"], "'fails' cannot be imported: ZeroDivisionError"),
        (["leaves:Tickets"], "'leaves' cannot be imported: SystemExit: 0"),
        ([":Tickets"], "'' cannot be imported"),
        (["mine:Nothing"], "mine has no class 'Nothing' made of "),
        (["mine:threading"], "mine has no class 'threading' made of "),
        (["mine:Lock"], f"made of {NAME}.interleave.protocol.Protocol"),
        (["mine:Idle"], "mine:Idle has no threads"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_searched(words: list[str], says: str, mine: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, and a line that says why."""
    assert cli.main(["interleave", *words]) == 2
    assert says in capsys.readouterr().err


def test_without_assertions_nothing_could_be_found() -> None:
    """So ``python -O`` is refused."""
    command = [sys.executable, "-O", "-m", NAME, "interleave", "LastPage", "--schedules=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert "python -O leaves out the assertions" in done.stderr


@pytest.mark.parametrize("words", [["--schedules=0"], ["--schedules=x"], ["--seed=x"]], ids=" ".join)
def test_options_that_cannot_be_parsed(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["interleave", *words])
    assert caught.value.code == 2


def test_a_protocol_that_cannot_be_played_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named, it is not left out quietly."""
    monkeypatch.setattr(interleave.PROTOCOLS["Returned"], "needs", ("no_such_package",))
    assert cli.main(["interleave", "Returned"]) == 2
    assert "Returned (no_such_package)" in capsys.readouterr().err


def visited(kind: type) -> set[Path]:
    """The files in which threads of the protocol could be stopped."""
    run = interleave.Search(kind, schedules=1, seed=1).replay(interleave.Schedule())
    return {Path(code.co_filename) for turn in run.played for code, _ in turn.path}


def test_only_the_package_and_the_protocol_have_steps(mine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what searches, wherever that is installed; not a module that a protocol calls; nor its base classes' base."""
    monkeypatch.syspath_prepend(str(Path.cwd()))
    theirs: ModuleType = importlib.import_module("mine")
    package = Path(arenas.__file__).parent
    common = FOLDER / "interleave" / "protocols"
    assert {file.name for file in visited(theirs.Locked)} == {"mine.py"}
    assert {file.name for file in visited(theirs.Helped)} == {"mine.py"}
    ours = {file for file in visited(interleave.PROTOCOLS["Park"]) if not file.is_relative_to(package)}
    assert ours == {common / "ways_back.py"}


def test_the_folder_beside_the_package_is_not_the_package() -> None:
    """``site-packages/arenas_stress`` begins as ``site-packages/arenas`` does."""
    package = Path(arenas.__file__).parent
    source = "def search(turns):\n    turns.current = turns.step()\n"
    steps = interleave.Steps([])
    for folder, has in ((package, True), (Path(f"{package}_stress"), False)):
        (code,) = (
            constant
            for constant in compile(source, str(folder / "turns.py"), "exec").co_consts
            if hasattr(constant, "co_code")
        )
        assert bool(steps.of(code)) is has
