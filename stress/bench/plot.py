"""The figure: cost over number of live blocks, as an SVG, by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .harness import CaseResult

_INK: Final = "#7d8590"  # between black and white, as are the lines: the page may be dark or light
_LINES: Final = (("#3987e5", "o"), ("#d9730d", "s"), ("#2e9e6b", "^"), ("#b467d6", "D"))
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.hashsalt": "arenas",  # the same figures give the same file
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def require() -> None:
    """Make sure that a plot can be drawn.

    Raises:
        UsageError: it cannot.

    """
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415 - optional
    except ImportError:
        raise UsageError("--svg needs matplotlib: pip install 'arenas[bench]'") from None


def draw(path: Path, cases: Sequence[CaseResult], title: str) -> None:
    """Draw one line an entrant: its median over the cases' scales."""
    import matplotlib as mpl  # noqa: PLC0415 - optional
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(7.5, 4.2), layout="constrained")
        axes = figure.add_subplot(title=title, xlabel="live blocks", ylabel="alloc + free, µs (median)")
        for (name, points), (colour, marker) in zip(series(cases).items(), _LINES, strict=False):
            axes.plot(*zip(*points, strict=True), color=colour, marker=marker, linewidth=2, label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.grid(visible=True, color=_INK, alpha=0.3, linewidth=0.6)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def series(cases: Sequence[CaseResult]) -> dict[str, list[tuple[int, float]]]:
    """Each entrant's points: number of live blocks, microseconds."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for result in cases:
        for outcome in result.outcomes:
            if result.case.scale is not None and outcome.median is not None:
                lines.setdefault(outcome.entrant.name, []).append((result.case.scale, outcome.median / 1e3))
    return lines
