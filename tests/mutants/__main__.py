"""Takes the guards out of the package, one at a time, and has the tests notice: ``python -m tests.mutants``.

Each lock, each drain of a mailbox or inbox, each claim and each re-check. Exits with 1 when one was not missed, or when
the list does not fit the source.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants import declared, guards, run, table
from tests.mutants.mutant import StaleMutantError, edit


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-k", metavar="REGEX", default="", help="only mutants in whose kind, place or source it is found")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once (default: one a CPU)")
    parser.add_argument("--quick", action="store_true", help="only the tests named with each mutant")
    options = parser.parse_args()

    try:
        mutants = [(mutant, edit(mutant, run.PACKAGE)) for mutant in declared.MUTANTS]
    except StaleMutantError as error:
        return _fail(str(error))
    missing = guards.uncovered(guards.guards_of(run.PACKAGE), mutants, declared.EXEMPT)
    if missing:
        return _fail("\n".join(missing))
    chosen = [pair for pair in mutants if re.search(options.k, f"{pair[0].kind} {pair[0].where} {pair[0].removed}")]

    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arenas-mutants-") as temporary:
        sound = Path(temporary) / "sound"
        sound.mkdir()
        run.copy_package(sound)
        try:
            named = sorted({test for mutant, _ in chosen for test in mutant.tests})
            run.prove_sound(sound, named if options.quick else run.SELECTION, options.jobs)
        except run.BrokenMutantError as error:
            return _fail(str(error))
        print(f"without any mutant the tests pass: {time.monotonic() - begin:.0f} s\n\n{table.header()}", flush=True)
        survivors = broken = 0
        with ThreadPoolExecutor(options.jobs) as pool:
            verdicts = [
                pool.submit(run.judge, *pair, sound, Path(temporary) / str(number), quick=options.quick)
                for number, pair in enumerate(chosen)
            ]
            for pair, future in zip(chosen, verdicts, strict=True):
                try:
                    verdict = future.result()
                except run.BrokenMutantError as error:
                    broken += 1
                    print(f"{pair[0].where}: the tests could not judge this mutant:\n{error}")
                    continue
                survivors += verdict.killed_by is None
                print(table.row(*pair, verdict), flush=True)
    killed = len(chosen) - survivors - broken
    print(f"\n{killed} of {len(chosen)} mutants killed in {time.monotonic() - begin:.0f} s")
    return int(killed < len(chosen))


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
