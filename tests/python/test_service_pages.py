"""The pages of the service, used in a real browser as a person would."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chromium import Page
from conftest import isolated_environment

pytestmark = pytest.mark.browser
KEY = "correct horse battery"
# What a page shows where there is no number.
NOTHING = "\u2013"


def start(folder: Path, **env: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "plumbline", "serve", "--port", str(port)],
        env=isolated_environment(folder, env),
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 90
    while time.monotonic() < end:
        try:
            httpx.get(address + "/health", timeout=5)
            return process, address
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, place = start(tmp_path_factory.mktemp("pages"))
    yield place
    process.terminate()
    process.wait(timeout=60)


@pytest.fixture(scope="module")
def page(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with Page(browser, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_from_elsewhere(page: Page, address: str) -> Iterator[None]:
    """No page asks another host for anything, and none breaks."""
    page.requests.clear()
    page.errors.clear()
    yield
    hosts = {url.split("/")[2] for url in page.requests if url.startswith("http")}
    assert hosts == {address.removeprefix("http://")}
    assert [error for error in page.errors if "(Unprocessable" not in error] == []


def tiles(page: Page) -> list[list[str]]:
    found: list[list[str]] = page.run(
        "[...document.querySelectorAll('.tile')].map((t) => "
        "[t.dataset.kpi, t.querySelector('b').innerText])"
    )
    return found


def test_a_person_analyses_the_demo_record(page: Page, address: str) -> None:
    page.open(address + "/")
    weights = httpx.get(address + "/weights").json()
    held = set(page.run("[...document.querySelectorAll('#form input')].map((i) => i.name)"))
    assert held == {item["field"] for item in weights["inputs"]}
    groups = page.run("[...document.querySelectorAll('fieldset')].map((f) => f.dataset.kpi)")
    assert groups == [kpi["kpi"] for kpi in weights["kpis"]]
    assert not page.run("document.querySelector('#key-row').checkVisibility()")
    page.click("#demo")
    page.wait("document.querySelector('#field-cpa').value === '80'")
    page.click("#analyse")
    page.wait("!document.querySelector('#result').hidden")
    assert page.text("#overall") == "0.524" and page.text("#level") == "medium"
    record = httpx.get(address + "/demo-data").json()
    wanted = httpx.post(address + "/analyze", json={**record, "creator_id": "page"}).json()
    assert tiles(page) == [[kpi["kpi"], f"{kpi['score']:.3f}"] for kpi in wanted["kpis"]]
    assert len(tiles(page)) == 13
    cards = page.run("[...document.querySelectorAll('.card')].map((c) => c.dataset.action)")
    assert cards == [item["action"] for item in wanted["recommendations"]]
    text = page.text("#recommendations")
    for item in wanted["recommendations"]:
        assert item["title"] in text and item["what_to_do"][0] in text
        assert item["test_plan"]["stopping_rule"] in text
    rows = page.run("document.querySelectorAll('#issues tbody tr').length")
    assert rows == len(wanted["issues"])


def test_a_blank_field_is_missing_and_not_zero(page: Page, address: str) -> None:
    page.open(address + "/")
    for name, value in (("funnel_completion_rate", "0.3"), ("checkout_success_rate", "0.8")):
        page.write(f"#field-{name}", value)
    page.click("#analyse")
    page.wait("!document.querySelector('#result').hidden")
    found = dict(tiles(page))
    # (0.5 x 0.3 + 0.2 x 0.8) / 0.7: the third component drops out.
    assert found["shop_conversion"] == f"{0.31 / 0.7:.3f}"
    assert found["sales_performance"] == NOTHING
    assert page.text("#overall") == NOTHING and page.text("#level") == "insufficient data"
    assert "Send more inputs" in page.text("#recommendations")


def test_comparing_shows_the_weighting_effect_and_why_it_is_no_improvement(
    page: Page, address: str
) -> None:
    page.open(address + "/")
    page.click("#demo")
    page.wait("document.querySelector('#field-cpa').value === '80'")
    page.click("#compare")
    page.wait("!document.querySelector('#comparison').hidden")
    text = page.text("#comparison")
    assert "0.5243" in text and "0.4827" in text and "+8.62 %" in text
    page.click("#comparison a")
    page.wait("location.pathname === '/docs' && document.body.dataset.ready === 'true'")
    assert "no improvement" in page.text("#weighting-effect")


def test_a_refused_field_is_named_and_marked_and_reset_clears(page: Page, address: str) -> None:
    page.open(address + "/")
    page.write("#field-cpa", "-5")
    page.click("#analyse")
    page.wait("!document.querySelector('#message').hidden")
    assert "cpa" in page.text("#message") and "greater than or equal to 0" in page.text("#message")
    assert page.run("document.activeElement.id") == "field-cpa"
    marked = "[...document.querySelectorAll('[aria-invalid=true]')].map((e) => e.name)"
    assert page.run(marked) == ["cpa"]
    page.click("#reset")
    assert page.run(marked) == []
    assert page.run("document.querySelector('#field-cpa').value") == ""
    assert not page.run("document.querySelector('#message').checkVisibility()")


def move(page: Page, kpi: str, weight: float) -> None:
    """Drag a slider: its value, and the event a browser sends for it."""
    slider = f"document.querySelector('input[name={json.dumps(kpi)}]')"
    page.run(
        f"(() => {{ const s = {slider}; s.value = {weight}; "
        "s.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def ranks(page: Page) -> list[tuple[str, str]]:
    found: list[Any] = page.run(
        "[...document.querySelectorAll('#ranks tbody tr')].map((r) => "
        "[r.dataset.creator, r.children[2].innerText])"
    )
    return [tuple(row) for row in found]


def test_a_person_moves_weights_and_nothing_is_saved(page: Page, address: str) -> None:
    page.open(address + "/weights-view")
    weights = httpx.get(address + "/weights").json()
    sliders = (
        "[...document.querySelectorAll('#weights input')].map((i) => [i.name, Number(i.value)])"
    )
    assert page.run(sliders) == [[kpi["kpi"], kpi["weight"]] for kpi in weights["kpis"]]
    assert " ".join(page.text("#tiers").split()) == "Tier 1 55 % Tier 2 32 % Tier 3 13 %"
    before = ranks(page)
    assert len(before) == 8 and dict(before)["Demo record"] == "0.524"
    move(page, "sales_performance", 0)
    page.wait(
        "document.querySelector('[data-creator=\"Demo record\"] td:nth-child(3)').innerText !== '0.524'"
    )
    creators = httpx.get(address + "/demo-creators").json()
    asked = {"creators": creators, "weights": {"sales_performance": 0}}
    wanted = httpx.post(address + "/compare-weights", json=asked).json()["creators"]
    assert sorted(ranks(page)) == sorted(
        (row["creator_id"], f"{row['reweighted_score']:.3f}") for row in wanted
    )
    assert "from" in page.text("#ranks")
    assert httpx.get(address + "/weights").json() == weights
    page.click("#equal")
    page.wait(
        "document.querySelector('[data-creator=\"Demo record\"] td:nth-child(3)').innerText === '0.483'"
    )
    page.click("#given")
    page.wait(
        "document.querySelector('[data-creator=\"Demo record\"] td:nth-child(3)').innerText === '0.524'"
    )
    assert ranks(page) == before


def test_the_api_page_shows_every_endpoint(page: Page, address: str) -> None:
    page.open(address + "/docs")
    shown = page.run("[...document.querySelectorAll('[data-path]')].map((e) => e.dataset.path)")
    described = httpx.get(address + "/openapi.json").json()["paths"]
    assert sorted(shown) == sorted(described)
    page.click("[data-path='/analyze'] summary")
    text = page.text("[data-path='/analyze']")
    for word in ("conversion_rate", "orders / product views", "422", "ProblemDocument"):
        assert word in text


def test_a_page_asks_for_the_key_where_one_is_needed(
    page: Page, address: str, tmp_path: Path
) -> None:
    process, guarded = start(tmp_path, PLUMBLINE_SERVICE_API_KEY=KEY)
    try:
        page.open(guarded + "/", until="!document.querySelector('#message')?.hidden")
        page.wait("document.querySelector('#key-row').checkVisibility()")
        page.write("#key", KEY)
        page.run("document.querySelector('#key').blur()")
        page.wait("document.body.dataset.ready === 'true'")
        assert not page.run("document.querySelector('#message').checkVisibility()")
        page.click("#analyse")
        page.wait("!document.querySelector('#result').hidden")
        assert page.text("#level") == "insufficient data"
    finally:
        process.terminate()
        process.wait(timeout=60)
    page.requests[:] = [url for url in page.requests if not url.startswith(guarded)]
    page.errors[:] = [error for error in page.errors if "(Unauthorized" not in error]
    page.open(address + "/")
