"""The page in a real browser, offline, on a telephone and on a desk: quiet, readable, whole without scripts too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import _results
import pytest
from _browser import browser, look_like, missing
from _package import module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

cli = module("cli")

WHY = missing()
pytestmark = pytest.mark.skipif(WHY is not None, reason=WHY or "")

PAGES = ("realistic", "failed", "huge", "small", "benchmark", "interleaved", "interleaved_well")
PHONE, DESK = (375, 812), (1280, 900)

# Every text that is shown: its colour against the nearest background that is there. 3 is enough for big letters.
CONTRASTS = """
const number = (text) => text.match(/[\\d.]+/g).map(Number);
const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const ground = (element) => {
  for (; element; element = element.parentElement) {
    const colour = number(getComputedStyle(element).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const poor = [];
let seen = 0;
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
  if (!text || element.closest("script, style, title, desc") || !element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const ink = number(element instanceof SVGElement ? style.fill : style.color);
  const [low, high] = [light(ink), light(ground(element))].sort((a, b) => a - b);
  const needed = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
  seen += 1;
  if ((high + 0.05) / (low + 0.05) < needed) poor.push(`${text.slice(0, 40)}: ${style.color} ${style.fill}`);
}
return [seen, poor];
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of each page."""
    folder = tmp_path_factory.mktemp("pages")
    for name in PAGES:
        path = _results.write(folder / f"{name}.json", getattr(_results, name)())
        assert cli.main(["report", str(path)]) == 0
    return {name: (folder / f"{name}.html").as_uri() for name in PAGES}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def complaints(opened: Any) -> list[str]:
    return [entry["message"] for entry in opened.get_log("browser") if entry["level"] not in {"INFO", "DEBUG"}]


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_fits_and_says_its_verdict_first(
    name: str, screen: tuple[int, int], opened: Any, pages: dict[str, str]
) -> None:
    look_like(opened, *screen)
    opened.get(pages[name])
    assert complaints(opened) == []
    opened.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    # Not against innerWidth: a telephone zooms out until the widest thing fits.
    assert opened.execute_script("return document.documentElement.scrollWidth") <= screen[0]
    box = opened.execute_script("return document.querySelector('h1').getBoundingClientRect().toJSON()")
    assert 0 <= box["top"] < box["bottom"] <= screen[1]
    assert box["right"] <= screen[0]


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", ["failed", "interleaved"])
def test_what_failed_is_on_the_first_screen(
    name: str, screen: tuple[int, int], opened: Any, pages: dict[str, str]
) -> None:
    look_like(opened, *screen)
    opened.get(pages[name])
    box = opened.execute_script("return document.querySelector('#failures h2').getBoundingClientRect().toJSON()")
    assert 0 <= box["top"] < box["bottom"] <= screen[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["realistic", "failed"])
def test_every_text_stands_out(name: str, scheme: str, opened: Any, pages: dict[str, str]) -> None:
    look_like(opened, *DESK, scheme)
    opened.get(pages[name])
    opened.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    seen, poor = opened.execute_script(CONTRASTS)
    assert poor == []
    assert seen > 100


def test_all_sections_are_there_and_lead_somewhere(opened: Any, pages: dict[str, str]) -> None:
    look_like(opened, *DESK)
    opened.get(pages["realistic"])
    headings = opened.execute_script("return [...document.querySelectorAll('h2')].map((each) => each.textContent)")
    assert headings == ["How it was run", "Throughput", "Memory", "Fragmentation", "All runs", "Run by run"]
    links = opened.execute_script("return [...document.querySelectorAll('nav a')].map((each) => each.textContent)")
    assert links == ["Verdict", *headings]


def test_a_link_to_a_run_opens_it(opened: Any, pages: dict[str, str]) -> None:
    look_like(opened, *DESK)
    opened.get(pages["huge"])
    assert not opened.execute_script("return document.querySelector('#run-7').closest('details').open")
    opened.get(pages["huge"] + "#run-7")
    assert opened.execute_script("return document.querySelector('#run-7').closest('details').open")


def test_without_scripts_nothing_is_missing(opened: Any, pages: dict[str, str]) -> None:
    text = (
        "const copy = document.body.cloneNode(true); copy.querySelectorAll('script').forEach((each) => each.remove()); "
    )
    text += "return [document.querySelectorAll('th button').length, copy.textContent.split(/\\s+/).join(' ')]"
    look_like(opened, *DESK)
    opened.get(pages["realistic"])
    buttons, with_scripts = opened.execute_script(text)
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened.get(pages["realistic"])
        no_buttons, without = opened.execute_script(text)
    finally:
        opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert (buttons > 0, no_buttons) == (True, 0)
    assert with_scripts == without


def test_a_chart_is_read_where_the_pointer_is(opened: Any, pages: dict[str, str]) -> None:
    from selenium.webdriver import ActionChains, Keys
    from selenium.webdriver.common.by import By

    look_like(opened, *DESK)
    opened.get(pages["realistic"])
    (plot, *_), readings = (opened.find_elements(By.CSS_SELECTOR, f"#memory {kind}") for kind in (".plot", ".reading"))
    before = [each.text for each in readings]
    assert before[0].startswith("peak ")
    ActionChains(opened).move_to_element(plot).perform()
    live, resident = (_bytes(each.text) for each in readings[:2])
    assert 0 < live < resident
    ActionChains(opened).move_to_element(opened.find_element(By.CSS_SELECTOR, "h1")).perform()
    assert [each.text for each in readings] == before
    opened.execute_script("arguments[0].focus()", plot)
    ActionChains(opened).send_keys(Keys.ARROW_RIGHT).perform()
    assert [each.text for each in readings] != before


def _bytes(text: str) -> float:
    value, unit = text.split()
    return float(value.replace(",", "")) * {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit]


def test_a_table_sorts_by_its_numbers(opened: Any, pages: dict[str, str]) -> None:
    look_like(opened, *DESK)
    opened.get(pages["realistic"])
    column = "return [...document.querySelectorAll('#runs tbody tr')].map((row) => Number(row.cells[3].dataset.key))"
    before = opened.execute_script(column)
    click = "document.querySelectorAll('#runs thead th')[3].querySelector('button').click()"
    opened.execute_script(click)
    assert opened.execute_script(column) == sorted(before, reverse=True) != before
    opened.execute_script(click)
    assert opened.execute_script(column) == sorted(before)


def test_a_script_from_a_file_does_not_run(opened: Any, tmp_path: Path) -> None:
    evil = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
    content = _results.document([_results.run(evil, evil, clean=False, complaints=[evil], notes=[evil])])
    path = _results.write(tmp_path / "evil.json", content | {"command": evil, "machine": {evil: evil}})
    assert cli.main(["report", str(path)]) == 0
    opened.get((tmp_path / "evil.html").as_uri())
    assert opened.title == "Failed · arenas stress report"
    assert opened.execute_script("return document.images.length") == 0
    assert complaints(opened) == []
