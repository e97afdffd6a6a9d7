"""The report in headless Chromium: it opens, asks nobody for anything, can be used by keyboard, on a phone, on paper."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radcurate.report.build import build
from radcurate.report.facts import Picture
from report_tools import everything

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
selenium = pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Debian's chromium and chromium-driver are not installed"),
    pytest.mark.xdist_group("browser"),
]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
# the contrast of each text with the nearest background that is not transparent, the lowest first
CONTRAST = """
const lum = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
  return .2126 * r + .7152 * g + .0722 * b };
const parse = s => (s.match(/[\\d.]+/g) || []).map(Number);
const back = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c.length === 3 || c[3] > 0) return c.slice(0, 3) } return [255, 255, 255] };
const out = [];
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
  if (e.closest('svg') || !e.getClientRects().length) continue;
  const [a, b] = [lum(parse(getComputedStyle(e).color).slice(0, 3)), lum(back(e))].sort((x, y) => y - x);
  out.push([(a + .05) / (b + .05), e.tagName + ' ' + e.textContent.slice(0, 40)]);
}
return out.sort((x, y) => x[0] - y[0]).slice(0, 3);
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(CHROMIUM)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(params=["private", "public", "refused"])
def opened(request: pytest.FixtureRequest, browser: Any, tmp_path: Path) -> tuple[Any, str]:
    """The browser on a face of the report, at the size of a desk."""
    private = request.param != "public"
    gallery = [Picture("a head", "S-1.html", PNG)] if private else []
    path = tmp_path / "report.html"
    path.write_bytes(build(everything(private, holds=request.param != "refused", gallery=gallery)[0]))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get_log("browser"), browser.get_log("performance")  # what other pages left
    browser.get(path.as_uri())
    return browser, path.as_uri()


def requests(browser: Any) -> list[str]:
    """Addresses that the page asked for."""
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [one["params"]["request"]["url"] for one in sent if one["method"] == "Network.requestWillBeSent"]


def test_it_opens_without_an_error_and_asks_nobody(opened: tuple[Any, str]) -> None:
    browser, address = opened
    assert browser.get_log("browser") == []
    assert [one for one in requests(browser) if not one.startswith("data:")] == [address]
    assert browser.find_element("css selector", "#plain h2").is_displayed()
    assert browser.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert browser.execute_script("return document.title && document.documentElement.lang") == "en"


def test_a_request_would_be_noticed(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text('<!doctype html><title>x</title><img src="other.png"><script>throw new Error("x")</script>')
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(path.as_uri())
    assert len(requests(browser)) == 2 and browser.get_log("browser")


def test_it_fits_a_phone(opened: tuple[Any, str]) -> None:
    browser, _ = opened
    size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 320


def test_every_part_can_be_reached_by_keyboard(opened: tuple[Any, str]) -> None:
    from selenium.webdriver import ActionChains, Keys

    browser, _ = opened
    ActionChains(browser).send_keys(Keys.TAB).perform()
    first = browser.switch_to.active_element
    assert first.text == "To the content" and first.is_displayed()
    ActionChains(browser).send_keys(Keys.TAB).perform()
    active = browser.switch_to.active_element
    assert active.get_attribute("href").endswith("#plain")
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    stuck = "return [...document.querySelectorAll('a, [tabindex]')].filter(e => e.tabIndex !== 0).length"
    assert browser.execute_script(stuck) == 0
    scrolls = "return [...document.querySelectorAll('.scroll, figure')].every(e => e.tabIndex === 0)"
    assert browser.execute_script(scrolls)


def test_text_stands_out(opened: tuple[Any, str]) -> None:
    browser, _ = opened
    worst = browser.execute_script(CONTRAST)
    assert worst and worst[0][0] >= LEAST_CONTRAST, worst


def test_pictures_and_plots_are_told_in_words(opened: tuple[Any, str]) -> None:
    browser, _ = opened
    assert browser.execute_script("return [...document.images].every(i => i.alt)")
    told = "return [...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-label') && s.getAttribute('role') == 'img')"
    assert browser.execute_script(told) and browser.execute_script("return document.querySelectorAll('svg').length") > 3


def test_it_prints(opened: tuple[Any, str]) -> None:
    browser, _ = opened
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert printed.startswith(b"%PDF") and printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 2
