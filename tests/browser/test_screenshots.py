"""The pictures of docs/images, taken of the page as it is: with WRITE_SCREENSHOTS=1 they are written, without it their views are.

Pixels differ from one machine to the next, so what is compared is that each view still shows what its picture is there for.
"""

from __future__ import annotations

import base64
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.actions import cards, choose_drug, dose, opened, panel
from tests.support.reported import Reported
from tests.support.served import Served

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGEST = 200_000


def chart(page: Page, url: str) -> None:
    opened(page, url, "gc-very-high-risk-untreated")


def order(page: Page, url: str) -> None:
    opened(page, url, "ms-screening-by-age")
    choose_drug(page, "prednisone 20", "prednisone 20 MG Oral Tablet")
    dose(page, "20", "6", "months")
    expect(cards(page, "#order-cards").first).to_contain_text("20 mg/day")
    page.locator("#order-title").scroll_into_view_if_needed()


def trace(page: Page, url: str) -> None:
    opened(page, url, "gc-assessment-due")
    panel(page, "Why")
    page.locator(".developer").scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, document.querySelector('.developer').getBoundingClientRect().top - 20)")


def phone(page: Page, url: str) -> None:
    opened(page, url, "vitamin-d-toxicity")


def summary(page: Page, url: str) -> None:
    page.goto(f"{url}/summary?patient=gc-very-high-risk-untreated")
    expect(page.locator("figure img")).to_have_count(4)


VIEWS: dict[str, tuple[Callable[[Page, str], None], int, int]] = {
    "sandbox-chart": (chart, 1280, 900),
    "sandbox-order": (order, 1280, 900),
    "sandbox-why": (trace, 1280, 900),
    "sandbox-phone": (phone, 390, 844),
    "summary": (summary, 1000, 1000),
}


@pytest.mark.parametrize("name", VIEWS)
def test_the_view_of_each_picture_is_there(browser: Browser, service: Served, name: str) -> None:
    show, width, height = VIEWS[name]
    # as they are looked at: without the time that a call took
    page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB", reduced_motion="reduce")
    show(page, service.url)
    taken(page, name, width, height)


def test_the_view_of_the_picture_of_a_report_is_there(browser: Browser, filled: Reported) -> None:
    width, height = 1000, 900
    known = {"username": "lead", "password": filled.password}
    page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB", http_credentials=known)
    page.goto(filled.url)
    expect(page.locator("figure svg")).to_have_count(2)
    taken(page, "report", width, height)


def taken(page: Page, name: str, width: int, height: int) -> None:
    """The picture is written where that is asked for, and is one of what is shown."""
    file = IMAGES / f"{name}.png"
    if os.environ.get("WRITE_SCREENSHOTS") == "1":
        IMAGES.mkdir(exist_ok=True)
        file.write_bytes(smaller(page, page.screenshot(animations="disabled", caret="hide")))
    page.close()

    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", file.read_bytes()[16:24]) == (width, height)
    assert file.stat().st_size < LARGEST


# 256 colours are plenty for a page of text; each other pixel takes the nearest of the most frequent ones
_PALETTE = """async (png) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  const counts = new Map();
  const colour = (at) => (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
  for (let at = 0; at < data.length; at += 4) counts.set(colour(at), (counts.get(colour(at)) ?? 0) + 1);
  const palette = [...counts].sort((one, other) => other[1] - one[1]).slice(0, 256).map(([each]) => each);
  const known = new Map(palette.map((each, number) => [each, number]));
  const part = (one, other, by) => (((one >> by) & 255) - ((other >> by) & 255)) ** 2;
  const away = (one, other) => part(one, other, 16) + part(one, other, 8) + part(one, other, 0);
  const closer = (each) => (best, one, number) => (away(each, one) < away(each, palette[best]) ? number : best);
  const nearest = (each) => {
    if (!known.has(each)) known.set(each, palette.reduce(closer(each), 0));
    return known.get(each);
  };
  const pixels = Uint8Array.from({ length: data.length / 4 }, (_, at) => nearest(colour(at * 4)));
  const reader = new FileReader();
  const read = new Promise((done) => { reader.onload = done; });
  reader.readAsDataURL(new Blob([pixels]));
  await read;
  return [palette, image.width, reader.result.split(",")[1]];
}"""


def smaller(page: Page, png: bytes) -> bytes:
    """The same picture with a palette: a quarter of its size."""
    page.goto("about:blank")  # whose policy lets it read the picture
    palette, width, packed = page.evaluate(_PALETTE, base64.b64encode(png).decode())
    pixels = base64.b64decode(packed)
    rows = [pixels[at : at + width] for at in range(0, len(pixels), width)]
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(colour.to_bytes(3, "big") for colour in palette)),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
