"""The exception tree.

::

    StressError                     root of all
    ├── UsageError                  the command cannot be carried out as given: exit status 2
    │   └── TraceError              … because a recording is malformed; names file and line
    ├── UnavailableError            something optional is not to be had here; says why, and is shown, not raised on
    ├── AbandonedError              another thread failed, this one stops; never reported by itself
    ├── MisbehaviourError           the allocator under test does not keep to the protocol: a finding
    ├── ThreadDiedError             this thread was made to die, as part of the run; never reported
    └── StalledError                no thread has come further for a long time: a deadlock, most likely

What the allocator under test raises is not in the tree: it is caught, reported and costs exit status 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path


FOREIGN: Final = (Exception, SystemExit)
"""What somebody else's code may raise and have it reported: leaving the program too, or its status would be ours."""


class StressError(Exception):
    """Root of every error this package raises on purpose."""


class UsageError(StressError):
    """The command cannot be carried out as given."""


class TraceError(UsageError):
    """A recording that is not what it should be."""

    def __init__(self, path: Path, line_number: int, why: str) -> None:
        """Name the place the way compilers do, so that editors can jump to it."""
        super().__init__(f"{path}:{line_number}: {why}")
        self.path = path
        self.line_number = line_number


class UnavailableError(StressError):
    """Something optional is not to be had on this machine; the message says why in a few words."""


class MisbehaviourError(StressError):
    """The allocator under test does not keep to the protocol; says how."""


class AbandonedError(StressError):
    """Another thread of the same replay failed; this one was told to stop."""


class ThreadDiedError(StressError):
    """This thread was chosen to die in the middle of what it did."""


class StalledError(StressError):
    """No thread of a replay has come further for a long time."""
