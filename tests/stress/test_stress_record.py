"""Recording: memray's records become operations; a real program is run, and what it allocated can be replayed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from _package import FOLDER, NAME, module

if TYPE_CHECKING:
    from pathlib import Path

cli = module("cli")
records = module("record.records")
trace = module("trace")


@dataclass
class Record:
    tid: int
    address: int
    size: int = 0


def convert(folder: Path, *made: tuple[str, int, int, int]) -> tuple[list[str], Any]:
    """The operations that come of records (function, thread, address, size), and the converter."""
    path = folder / "made.trace"
    with trace.Writer(path, {}) as writer:
        converter = records.Converter(writer)
        for function, tid, address, size in made:
            converter.take(Record(tid, address, size), function)
        converter.flush()
    (batch,) = list(trace.open_trace(path).batches()) or [trace.Batch()]
    return [batch.describe(index) for index in range(len(batch))], converter


def test_every_function(tmp_path: Path) -> None:
    lines, converter = convert(
        tmp_path,
        ("MALLOC", 9, 0x10, 5),
        ("CALLOC", 9, 0x20, 6),
        ("PYMALLOC_MALLOC", 7, 0x30, 7),
        ("PYMALLOC_CALLOC", 7, 0x40, 8),
        ("POSIX_MEMALIGN", 7, 0x50, 9),
        ("ALIGNED_ALLOC", 7, 0x60, 10),
        ("MEMALIGN", 7, 0x70, 11),
        ("VALLOC", 7, 0x1000, 12),
        ("PVALLOC", 7, 0x2000, 13),
        ("MMAP", 8, 0x9000, 4096),
        ("MUNMAP", 8, 0x9000, 4096),
        ("PYMALLOC_FREE", 9, 0x40, 0),
        ("FREE", 9, 0x10, 0),
    )
    assert lines == [
        *("1 a 0 5", "1 c 1 6", "2 a 2 7", "2 c 3 8", "2 a 4 9", "2 a 5 10", "2 a 6 11"),
        *("2 a 7 12 4096", "2 a 8 13 4096", "1 f 3", "1 f 0"),
    ]
    assert converter.left_out() == ["2 calls of mmap and munmap"]


def test_a_free_and_an_allocation_in_a_row_are_a_resize(tmp_path: Path) -> None:
    """… in one thread; where another is noted in between they are what they seem to be."""
    lines, _ = convert(
        tmp_path,
        ("REALLOC", 1, 0x10, 5),
        ("FREE", 1, 0x10, 0),
        ("REALLOC", 1, 0x20, 50),
        ("FREE", 1, 0x20, 0),
        ("REALLOC", 1, 0x20, 60),
        ("FREE", 1, 0x20, 0),
        ("REALLOC", 2, 0x30, 70),
        ("FREE", 2, 0x30, 0),
        ("MALLOC", 2, 0x30, 80),
        ("FREE", 2, 0x30, 0),
        ("FREE", 2, 0x99, 0),
        ("REALLOC", 2, 0x30, 90),
        ("FREE", 2, 0x30, 0),
    )
    assert lines == [
        *("1 a 0 5", "1 r 0 50", "1 r 0 60", "1 f 0", "2 a 1 70", "2 f 1", "2 a 2 80", "2 f 2", "2 a 3 90", "2 f 3"),
    ]


def test_what_was_there_before_is_left_out_and_counted(tmp_path: Path) -> None:
    lines, converter = convert(tmp_path, ("FREE", 1, 0x10, 0), ("FREE", 1, 0x20, 0), ("REALLOC", 1, 0x30, 7))
    assert lines == ["1 a 0 7"]
    assert converter.left_out() == ["2 frees of what was allocated before the recording began"]


def test_an_address_overtaken_by_another_thread(tmp_path: Path) -> None:
    """Thread 1's realloc gave 0x10 back, thread 2 got it, and was noted first."""
    lines, converter = convert(
        tmp_path,
        ("MALLOC", 1, 0x10, 5),
        ("MALLOC", 2, 0x10, 6),
        ("FREE", 1, 0x10, 0),
        ("REALLOC", 1, 0x20, 50),
        ("FREE", 2, 0x10, 0),
        ("FREE", 1, 0x20, 0),
    )
    assert lines == ["1 a 0 5", "2 a 1 6", "1 r 0 50", "2 f 1", "1 f 0"]
    assert converter.unknown_frees == 0


PROGRAM = """\
import sys, threading

kept = [bytearray(100_000), bytes(200_000)]
kept[0] += bytes(300_000)
thread = threading.Thread(target=kept.clear)
thread.start()
thread.join()
print("arguments:", *sys.argv[1:])
sys.exit(7)
"""


def test_a_real_program(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("memray")
    (tmp_path / "some program.py").write_text(PROGRAM)
    path = tmp_path / "out put.trace.gz"
    assert cli.main(["record", "-o", str(path), "--", str(tmp_path / "some program.py"), "-o", "x"]) == 0
    told = capfd.readouterr().out
    assert "arguments: -o x" in told
    assert "the program ended with exit status 7" in told
    opened = trace.open_trace(path)
    assert "some program.py' -o x" in opened.program
    (batch,) = opened.batches()
    lines = [batch.describe(index).split() for index in range(len(batch))]
    large = [words for words in lines if int(words[-1]) >= 100_000 and words[1] != "f"]
    grown = [words for words in large if words[1] == "r" and int(words[3]) >= 400_000]
    assert len(grown) == 1
    assert [words[1] for words in large if words[2] == grown[0][2]] in (["a", "r"], ["c", "r"])
    assert ["2", "f", grown[0][2]] in lines
    assert f"{len(lines):,} operations of 2 threads" in told
    replay = shlex.split(told.splitlines()[-1])
    assert cli.main(replay[replay.index("replay") :]) == 0


INTERRUPTED = """\
import os, signal, time

kept = bytearray(100_000)
os.killpg(os.getpgrp(), signal.SIGINT)
time.sleep(60)
"""


def test_ctrl_c_ends_the_program_and_not_the_recording(tmp_path: Path) -> None:
    pytest.importorskip("memray")
    path = tmp_path / "interrupted.trace"
    command = [sys.executable, "-m", NAME, "record", "-o", str(path), "--", "-c", INTERRUPTED]
    done = subprocess.run(
        command, cwd=FOLDER.parent, start_new_session=True, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "the program ended with exit status" in done.stdout
    assert int(trace.open_trace(path).headers["peak-live-bytes"]) >= 100_000


def test_small_objects_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("memray")
    monkeypatch.chdir(tmp_path)
    counts = []
    for options in ([], ["--python-allocators"]):
        assert cli.main(["record", *options, "--", "-c", "x = [object() for _ in range(2000)]"]) == 0
        counts.append(trace.open_trace(tmp_path / "code.trace.gz").declared_operations)
    assert counts[1] > 4000 > counts[0] > 0


def test_without_memray(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "memray", None)
    assert cli.main(["record", "--", "-c", "pass"]) == 2
    assert "install the extra `record`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "no program to record"),
        (["--"], "no program to record"),
        (["--", "nowhere.py"], "there is no program nowhere.py"),
        (["--", "-m", "no_such_module_anywhere"], "there is no module no_such_module_anywhere"),
        (["--", "-m", "os.path.no_such"], "there is no module os.path.no_such"),
        (["--", "-m"], "-m is followed by nothing"),
        (["--", "-x", "some.py"], "-x is no option of a recorded program"),
        (["-o", "no/such/folder/x.trace", "--", "-c", "pass"], "there is no folder"),
    ],
)
def test_what_cannot_be_recorded(
    words: list[str], why: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if module("record.program").importlib.util.find_spec("memray") is None:
        monkeypatch.setattr(module("record.program").importlib.util, "find_spec", lambda name: name)
    assert cli.main(["record", *words]) == 2
    said = capfd.readouterr().err
    assert why in said
    assert "Traceback" not in said


def test_where_it_goes_when_nobody_says() -> None:
    default = module("record.program").default_path
    assert str(default(["-m", "http.server", "80"])) == "http.server.trace.gz"
    assert str(default(["-c", "pass"])) == "code.trace.gz"
    assert str(default(["/some/where/tool.py", "x"])) == "tool.trace.gz"
