"""A page: it shows what it was given and runs nothing of it; charts say in words what they draw."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from arenas import reports
from arenas.reports import (
    Bar,
    Bars,
    Cell,
    Code,
    Details,
    Facts,
    Figure,
    Figures,
    Group,
    Heading,
    HeapMap,
    Lines,
    Page,
    Region,
    Section,
    Series,
    Table,
    Text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from arenas.reports import Part

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;"
VOID = {"meta", "link", "img", "br", "input"}


class Reader(HTMLParser):
    """What a browser would make of it, as far as that can be told without one."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())


def page(*parts: Part, text: str = "title") -> Page:
    return Page(text, good=True, mark=text, verdict=text, lead=[], note=text, sections=[Section(text, parts, "a")])


def every_part(text: str) -> list[Part]:
    """One of each, with a text wherever one can be."""
    return [
        Text(text),
        Code(text, text),
        Figures([Figure(text, text, text)]),
        Facts(text, [(text, text)]),
        Table(
            text,
            [Heading(text), Heading(text)],
            [[Cell(text, anchor=text), Cell(text, key=1, share=0.5)]],
            [[Cell(text)]],
        ),
        Bars(text, [Group(text, [Bar(text, 2, text, ours=True), Bar(text, None, text)], text)]),
        Lines(text, [0, 1], [Series(text, [1, 2]), Series(text, [0, 0])]),
        HeapMap(text, [Region(0, 100, [(0, 60, text), (60, 40, "live")])]),
        Details(text, [Text(text)], text, text, is_open=True),
    ]


def read(*parts: Part) -> Reader:
    return Reader(reports.render(page(*parts)))


@pytest.mark.parametrize("turn", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_no_name_turns_round_what_follows_it(turn: str) -> None:
    """An override in an allocator's name would have the verdict's figures read backwards."""
    rendered = reports.render(page(Text(f"a{turn}b"), text=f"c{turn}d"))
    assert turn not in rendered
    assert "a\ufffdb" in Reader(rendered).text
    assert "c\ufffdd" in Reader(rendered).text


def test_markup_in_any_text_is_shown_and_nothing_else() -> None:
    evil = Reader(reports.render(page(*every_part(EVIL), text=EVIL)))
    plain = Reader(reports.render(page(*every_part("plain"), text="plain")))
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in plain.tags]
    assert evil.open == []
    shown, meant = evil.text.count(EVIL), plain.text.count("plain")
    assert shown == meant > 20
    assert "49" not in evil.text


def test_every_part_is_balanced_html() -> None:
    assert read(*every_part("plain")).open == []


def test_the_page_allows_itself_and_nothing_else() -> None:
    text = reports.render(page(*every_part("plain")))
    policy = next(str(tag["content"]) for tag in Reader(text).all("meta") if "http-equiv" in tag)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    for kind, source in (("style", rules.pop("style-src")), ("script", rules.pop("script-src"))):
        (held,) = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(held.encode()).digest()).decode()
        assert source == f"'sha256-{digest}'"
    assert rules == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}


def test_nothing_is_loaded_and_nothing_is_inline() -> None:
    reader = read(*every_part("plain"))
    for tag, attributes in reader.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), tag


def test_pictures_are_described_or_hidden() -> None:
    text = reports.render(page(*every_part("plain")))
    for opening, rest in re.findall(r"<svg([^>]*)>\s*(\S+)", text):
        if "role" in opening:
            assert rest.startswith("<title>")
        else:
            assert "aria-hidden" in opening or "viewBox" in opening  # the plot inside a picture
    assert text.count('role="img"') == text.count("<desc>") == 2


def test_a_table_has_a_caption_and_named_rows() -> None:
    reader = read(Table("what", [Heading("a"), Heading("b")], [[Cell("x"), Cell("1")], [Cell("y"), Cell("2")]]))
    assert len(reader.all("caption")) == 1
    assert [tag["scope"] for tag in reader.all("th")] == ["col", "col", "row", "row"]


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    bars = [Bar("a", 50, "50"), Bar("b", 200, "200"), Bar("c", None, "none"), Bar("d", 0, "0")]
    paths = re.findall(r'class="fill" d="M0 0h([\d.]+)v', reports.render(page(Bars("", [Group("", bars)]))))
    assert paths[:4] == ["25.0", "100.0", "0.0", "0.0"]


def test_bars_of_nothing_are_drawn() -> None:
    assert "none" in read(Bars("", [Group("", [Bar("a", None, "none")]), Group("", [Bar("a", 0, "none")])])).text


def test_a_line_chart_says_what_it_draws() -> None:
    mib = 1 << 20
    reader = read(Lines("memory", [0, 1, 2], [Series("live", [mib, 3 * mib, 0]), Series("parked", [0, 0, 0])]))
    assert "live: peak 3 MiB at 1 s, at the end 0 B; parked: peak 0 B at 0 s, at the end 0 B" in reader.text


@pytest.mark.parametrize(("seconds", "sizes"), [([], []), ([0], [0]), ([5], [7]), ([1, 1], [2, 3])])
def test_charts_of_next_to_nothing_are_drawn(seconds: list[float], sizes: list[float]) -> None:
    assert "NaN" not in reports.render(page(Lines("memory", seconds, [Series("live", sizes)])))


def test_a_series_keeps_its_look_where_others_are_left_out() -> None:
    text = reports.render(page(Lines("memory", [0, 1], [Series("live", [1, 2], 0), Series("cached", [1, 1], 4)])))
    assert re.findall(r'class="line (s\d)"', text) == ["s4", "s0"]
    assert re.findall(r'<g class="(s\d)">', text) == ["s0", "s4"]


def test_a_command_is_broken_between_its_words() -> None:
    text = reports.render(page(Code("do", "a --b=c\n<d>", is_command=True)))
    assert "<span>a</span> <span>--b=c</span>\n<span>&lt;d&gt;</span></pre>" in text


def test_a_heap_map_says_what_it_draws() -> None:
    spans = [(0, 600, "live"), (600, 300, "parked"), (900, 100, "strange")]
    reader = read(HeapMap("map", [Region(2, 1000, spans), Region(1, 10, [])]))
    assert "1 region, 1,000 B: live 60.0 %, parked 30.0 %, strange 10.0 %" in reader.text
    assert reader.text.index("Arena 1") < reader.text.index("Arena 2")


def test_half_of_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    reports.write(page(Text("half \ud83d of it")), tmp_path / "page.html")
    assert "half ? of it" in (tmp_path / "page.html").read_text("utf-8")


def test_without_jinja_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r'pip install "arenas\[report\]"'):
        reports.render(page())
