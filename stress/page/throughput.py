"""Operations a second, by workload and allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from arenas.reports import Bar, Bars, Group, Section, Text, units

from .names import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .names import Shown

_ABOUT: Final = (
    "Filling every block and checking every byte of it is part of every operation, so these figures compare with each "
    "other and with nothing outside this page. Each workload has a scale of its own; longer is faster."
)


def section(all_shown: Sequence[Shown]) -> Section | None:
    """One group of bars a workload; None where nothing was timed."""
    groups = [
        Group(name, [_bar(each) for each in members], note)
        for name, note, members in grouped(all_shown)
        if any(each.run.rate for each in members)
    ]
    if not groups:
        return None
    return Section(
        "Throughput", [Text(_ABOUT, quiet=True), Bars("Operations a second, by workload", groups)], "throughput"
    )


def _bar(each: Shown) -> Bar:
    ours, rate = each.run.arenas is not None, each.run.rate
    if not each.run.clean:
        return Bar(each.label, None, "failed", ours, "bad")
    if rate is None:
        return Bar(each.label, None, "not timed", ours, "quiet")
    return Bar(each.label, rate, f"{units.number(rate)}/s", ours)
