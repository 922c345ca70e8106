"""The report in a real browser without a network: the scrubber moves film and maps, and nothing hostile runs."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dqngui.__main__ import main
from tests.comparison.made_runs import made_run

pytestmark = pytest.mark.extras
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
DEMO = Path(__file__).parents[2] / "assets" / "demo"
PICTURES = Path(os.environ.get("DQNGUI_REPORT_PICTURES", ""))
STATE = """() => [...document.querySelectorAll('#stage canvas')].map(each => each.toDataURL()).concat(
    [document.getElementById('film').dataset.at])"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def opened_page(browser: Any, file: Path, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page of a file, and what went wrong on it: errors, requests, dialogs."""
    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
    page.on("dialog", lambda dialog: (problems.append("dialog"), dialog.dismiss()))
    page.on(
        "request", lambda asked: problems.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None
    )
    page.goto(file.absolute().as_uri())
    return page, problems


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "report.html"
    began = time.monotonic()
    assert main(["export", str(DEMO), "--to", "html", "--out", str(out)]) == 0
    print(f"{out.stat().st_size / 1e6:.2f} MB in {time.monotonic() - began:.1f} s")
    return out


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scrubber_and_the_arrow_keys_move_the_film_and_all_maps(browser: Any, report: Path, scheme: str) -> None:
    assert report.stat().st_size < 10_000_000
    page, problems = opened_page(browser, report, scheme)
    page.wait_for_selector("#player[data-ready=yes]")
    first = page.evaluate(STATE)
    assert len(first) >= 6  # attention, pooling and the memory's three views, and the film
    slider = page.locator("#step")
    slider.evaluate("each => { each.value = 240; each.dispatchEvent(new Event('input')); }")
    moved = page.evaluate(STATE)
    assert [before == after for before, after in zip(first, moved, strict=True)] == [False] * len(first)
    page.locator("body").press("Home")
    assert page.evaluate(STATE) == first
    for _ in range(30):
        page.locator("body").press("ArrowRight")
    assert page.locator("#shown").text_content() == "step 30 / 500"
    assert all(before != after for before, after in zip(first, page.evaluate(STATE), strict=True))
    page.locator("body").press("PageUp")
    page.locator("body").press("ArrowLeft")
    assert page.locator("#shown").text_content() == "step 19 / 500"
    page.locator("body").press("Home")
    image = page.locator("#film")
    assert image.evaluate("each => each.naturalWidth") > 100 and image.get_attribute("alt").endswith("step 0")
    page.locator("#play").click()
    end = time.monotonic() + 20
    while int(page.locator("#step").input_value()) <= 3 and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert int(page.locator("#step").input_value()) > 3
    page.locator("#play").click()
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('canvas, svg, input, select, button, img')].filter(each =>"
        " !(each.getAttribute('aria-label') || each.alt || each.textContent.trim())).length"
    )
    assert unnamed == 0 and problems == []
    if PICTURES.name:
        page.screenshot(path=PICTURES / f"report-{scheme}.png", full_page=True)
    page.context.close()


def test_no_text_of_a_hostile_run_runs_in_the_browser(browser: Any, tmp_path: Path) -> None:
    evil = "</script><script>document.title='owned';alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>"
    folder = made_run(tmp_path / "runs", [1.0, 2.0], title=evil)
    (folder / "labels.json").write_text(json.dumps({"title": evil, "star": False, "tags": ["<b>x"], "note": evil}))
    made_run(tmp_path / "runs", [1.0, 2.0], title=evil, net__memory="gru")
    for name, runs in (("one", folder), ("both", tmp_path / "runs")):
        out = tmp_path / f"{name}.html"
        assert main(["export", str(runs), "--to", "html", "--out", str(out)]) == 0
        page, problems = opened_page(browser, out)
        page.wait_for_timeout(300)
        assert problems == [] and page.title() != "owned" and page.locator("img").count() == 0
        assert evil[:40] in page.locator("body").inner_text()
        page.context.close()
