"""Looks at the pages of a Web UI in Chromium, and writes what each of them called, said and showed.

    python visit.py http://HOST:PORT RUNS_JSON SCREENSHOTS_FOLDER [--only NAME ...] > pages.json

RUNS_JSON is what fill.py printed. The output has, for each page, "calls" (method, path, status, and the error's words),
"console" (errors), "text" (the lines that are shown), "missing" (what had to be shown and was not) and "replies".
"""

import argparse
import asyncio
import contextlib
import json
import pathlib
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from actions import ACTIONS
from pages import PAGES, Page
from playwright.async_api import Page as Tab, Request, Response, TimeoutError, async_playwright

CHROMIUM = "/usr/bin/chromium"
SHOWN_SECONDS = 25
QUIET_SECONDS = 1  # Without a call, all of a page's are taken to have ended.
TABS = 2
ANY_OTHER = "/import"  # Which calls nothing.
# Goes where a link of the page would: the scripts stay loaded.
FOLLOW = """path => {
  const link = document.createElement("a");
  link.href = path;
  document.body.append(link);
  link.click();
  link.remove();
}"""


class Visitor:
    """One tab, which goes from page to page."""

    def __init__(self, tab: Tab, base: str, runs: dict[str, str], screenshots: pathlib.Path) -> None:
        self.tab = tab
        self.base = base
        self.runs = runs
        self.screenshots = screenshots
        self.open: set[Request] = set()
        self.last_call = time.monotonic()
        self.reading: set[asyncio.Task] = set()
        self.seen: dict[str, Any] = {"calls": [], "console": [], "replies": {}}  # Of the page that is open.
        self.callers: dict[Request, dict[str, Any]] = {}  # Of calls that may end when another page is open.
        tab.on("request", self.begun)
        tab.on("requestfailed", self.ended)
        tab.on("requestfinished", self.ended)
        tab.on("response", self.answered)
        tab.on("console", lambda message: self.said(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: self.said(str(error)))

    def begun(self, request: Request) -> None:
        self.callers[request] = self.seen
        if "waitNewEvent" not in request.url:  # That waits for what does not happen.
            self.open.add(request)
            self.last_call = time.monotonic()

    def ended(self, request: Request) -> None:
        self.open.discard(request)
        self.last_call = time.monotonic()

    def answered(self, response: Response) -> None:
        seen = self.callers.pop(response.request, self.seen)
        task = asyncio.get_running_loop().create_task(self.read(response, seen))
        self.reading.add(task)
        task.add_done_callback(self.reading.discard)

    def said(self, text: str) -> None:
        if not text.startswith("Failed to load resource"):  # The calls tell of that.
            self.seen["console"].append(text)

    async def until_asked(self, part: str, seen: dict[str, Any]) -> None:
        async with asyncio.timeout(SHOWN_SECONDS):
            while not any(part in path for _, path, _, _ in seen["calls"]):
                await asyncio.sleep(0.05)

    async def read(self, response: Response, seen: dict[str, Any]) -> None:
        url, method = urlsplit(response.url), response.request.method
        words = ""
        if url.path.startswith("/api/"):
            try:
                reply = await response.json()
            except Exception:  # It has no body, or the page has gone on.
                reply = {}
            words = reply.get("message", "") if response.status >= 400 else ""
            seen["replies"][f"{method} {url.path}?{url.query}"] = reply
        elif response.status < 400:
            return
        seen["calls"].append([method, url.path, response.status, words])

    async def until_quiet(self) -> None:
        end = time.monotonic() + SHOWN_SECONDS
        while (self.open or time.monotonic() - self.last_call < QUIET_SECONDS) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        await asyncio.gather(*self.reading)

    async def load(self) -> None:
        await self.tab.goto(self.base + ANY_OTHER, timeout=4 * SHOWN_SECONDS * 1000)
        await self.until_quiet()

    async def visit(self, page: Page) -> dict[str, Any]:
        seen = self.seen = {"calls": [], "console": [], "text": [], "missing": [], "replies": {}}
        try:
            if page.fresh:
                await self.tab.evaluate(FOLLOW, ANY_OTHER)
                await self.tab.wait_for_url(lambda url: url.endswith(ANY_OTHER))
            before = self.tab.url
            path = page.path(self.runs)
            await self.tab.evaluate(FOLLOW, path)
            if page.act:
                await self.tab.wait_for_url(lambda url: urlsplit(url).path == urlsplit(path).path)
                await self.until_quiet()
                await page.act(self.tab)
            elif not page.shows:  # Else what was open before would be looked at. It may lead on to another.
                await self.tab.wait_for_url(lambda url: url != before)
            for text in page.shows:
                shown = self.tab.get_by_text(text).filter(visible=True).first
                await shown.wait_for(timeout=SHOWN_SECONDS * 1000)
            if page.asks:
                await self.until_asked(page.asks, seen)
        except Exception as error:
            seen["missing"].append(repr(error))
        await self.until_quiet()
        seen["text"] = (await self.tab.locator("body").inner_text()).splitlines()
        with contextlib.suppress(TimeoutError):  # It is for people to look at, and a busy machine's may not come.
            await self.tab.screenshot(path=self.screenshots / f"{page.name}.png", full_page=True)
        return seen


async def look(base: str, runs: dict[str, str], screenshots: pathlib.Path, only: list[str]) -> dict[str, Any]:
    screenshots.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        # One for all tabs: they share the scripts that one of them has loaded.
        context = await browser.new_context(viewport={"width": 1500, "height": 1100}, timezone_id="UTC")
        context.set_default_timeout(SHOWN_SECONDS * 1000)

        visitors = [Visitor(await context.new_page(), base, runs, screenshots) for _ in range(TABS)]
        await asyncio.gather(*(visitor.load() for visitor in visitors))
        # Actions change what pages show.
        for chains in ([[page] for page in PAGES], ACTIONS):
            left = [chain for chain in chains if not only or any(page.name in only for page in chain)]

            async def work(visitor: Visitor, left: list[list[Page]] = left) -> None:
                while left:
                    for page in left.pop(0):
                        found[page.name] = await visitor.visit(page)

            await asyncio.gather(*(work(visitor) for visitor in visitors))
        await browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("runs", type=json.loads)
    parser.add_argument("screenshots", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    json.dump(asyncio.run(look(options.base, options.runs, options.screenshots, options.only)), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
