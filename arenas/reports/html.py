"""From a page to one HTML file.

Every text passes through Jinja's autoescaping; only the files in ``templates`` are markup. Characters that would turn
round what is written after them are shown as one unknown character each. The page allows itself
exactly its own style sheet and its own script, by their hashes, and nothing from anywhere else.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import lines, maps
from .page import Bars, Code, Details, Facts, Figures, HeapMap, Lines, Table, Text

if TYPE_CHECKING:
    from .page import Page, Part

_TEMPLATES: Final = Path(__file__).parent / "templates"
_TEMPLATE_OF: Final[dict[type[Any], str]] = {  # Any: the parts have nothing in common but being parts
    Text: "text",
    Code: "code",
    Figures: "figures",
    Facts: "facts",
    Table: "table",
    Bars: "bars",
    Lines: "lines",
    HeapMap: "map",
    Details: "details",
}
# Embeddings, overrides and isolates of Unicode's Bidirectional Algorithm (UAX #9): they reach beyond their text's end.
_TURNS: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\N{REPLACEMENT CHARACTER}")


def write(page: Page, path: Path) -> None:
    """Write a page to a file.

    Raises:
        ImportError: Jinja is not installed.
        OSError: the file cannot be written.

    """
    path.write_bytes(render(page).encode("utf-8", "replace"))  # half of a surrogate pair may have got into a name


def render(page: Page) -> str:
    """The text of a page.

    Raises:
        ImportError: Jinja is not installed.

    """
    environment = _environment()
    style, script = ((_TEMPLATES / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return str(
        environment.get_template("page.html").render(
            page=page, style=style, script=script, style_hash=_hash(style), script_hash=_hash(script)
        )
    )


def _environment() -> Any:  # noqa: ANN401 - jinja2 is optional, and so are its types
    try:
        import jinja2  # noqa: PLC0415 - optional
        from markupsafe import Markup  # noqa: PLC0415
    except ImportError as error:
        raise ImportError('reports need Jinja: pip install "arenas[report]"', name="jinja2") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_straight,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def show(part: Part) -> object:
        template = environment.get_template(f"parts/{_TEMPLATE_OF[type(part)]}.html")
        return Markup(template.render(part=_drawn(part)))  # noqa: S704 - a template's own output is escaped already

    environment.filters["show"] = show
    environment.globals.update(height=lines.HEIGHT, top=lines.TOP, grid=lines.GRID)
    return environment


def _straight(value: object) -> object:
    """What is about to be written; markup stays markup."""
    return value.translate(_TURNS) if isinstance(value, str) else value


def _drawn(part: Part) -> object:
    """Charts are laid out before a template sees them."""
    match part:
        case Lines():
            return lines.draw(part)
        case HeapMap():
            return maps.draw(part)
        case _:
            return part


def _hash(text: str) -> str:
    """What a content security policy calls a source that is known by its contents."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
