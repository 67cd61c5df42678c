"""Windows of Chromium in which nothing is kept: each visitor gets one, and no visitor waits for what another has compiled.

A context of its own has a process of its own, which compiles plotly's five megabytes anew: half of what it takes to open
Evaluate. So contexts are lent one visitor after the other, emptied in between, and ``ONE_PROCESS`` has all pages of a
context share its process.
"""

from __future__ import annotations

from collections import defaultdict

from playwright.sync_api import Browser, BrowserContext

ONE_PROCESS = "--renderer-process-limit=1"


class Windows:
    """Lends contexts without cookies or storage: two visitors at once never have the same one."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: defaultdict[tuple[str, str], list[BrowserContext]] = defaultdict(list)

    def lend(self, url: str, locale: str) -> BrowserContext:
        """Return an empty context for the application at an address."""
        free = self._free[url, locale]
        return free.pop() if free else self._opened(url, locale)

    def _opened(self, url: str, locale: str) -> BrowserContext:
        context = self._browser.new_context(locale=locale)
        context.new_page().goto(f"{url}/_stcore/health")  # stays, and with it the process and what it has compiled
        return context

    def take_back(self, context: BrowserContext, url: str, locale: str) -> None:
        """Close what was opened, and leave nothing of it for the next visitor."""
        first, *opened = context.pages
        for page in opened:
            page.close()
        context.clear_cookies()
        first.evaluate("localStorage.clear()")
        self._free[url, locale].append(context)
