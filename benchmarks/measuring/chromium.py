"""A client for a headless Chromium, for the tests of the pages, their benchmark and their screenshots.

It uses the DevTools protocol over pipes, so nothing else has to be installed.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

ANSWER_SECONDS = 60.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: Becomes the browser, which expects its pipes as descriptors 3 and 4.
_START = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
#: Width and height of a window in CSS pixels.
DESKTOP, PHONE = (1200, 900), (390, 844)


class BrowserError(Exception):
    """The browser is not installed, or a command failed."""


class NavigatedError(BrowserError):
    """The page was left for another while it was asked something."""


def found() -> str:
    """The browser on the PATH; BrowserError with the command to install one where there is none."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        raise BrowserError("no Chromium on the PATH: apt-get install chromium")
    return browser


class Chromium:
    """One browser process with a profile of its own, gone after the block."""

    def __enter__(self) -> Chromium:
        self._folder = tempfile.mkdtemp(prefix="gridwatch-chromium-")
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _START,
                str(to_read),
                str(to_write),
                found(),
                "--headless",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                "--remote-debugging-pipe",
                "--disable-gpu",
                "--hide-scrollbars",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={self._folder}",
                "about:blank",
            ],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._last = 0
        self.pages: dict[str, Page] = {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.order("Browser.close")
            self._process.wait(10)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._folder, ignore_errors=True)

    def page(self, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
        """A new window."""
        target = self.order("Target.createTarget", url="about:blank")["targetId"]
        session = self.order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        page.order("Page.enable")
        page.order("Runtime.enable")
        page.order("Log.enable")
        page.look(size, dark=dark)
        return page

    def order(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Give an order and wait for what comes of it."""
        self._last += 1
        number = self._last
        order: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            order["sessionId"] = session
        os.write(self._to, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            answer = self._hear(deadline - time.monotonic())
            if answer is None:
                raise BrowserError(f"no answer to {method}")
            if answer.get("id") == number:
                if "error" in answer:
                    message = answer["error"]["message"]
                    left = NavigatedError if "navigated" in message else BrowserError
                    raise left(f"{method}: {message}")
                result: dict[str, Any] = answer["result"]
                return result

    def listen(self, seconds: float) -> None:
        """Take in what the pages say, for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._hear(left)

    def _hear(self, seconds: float) -> dict[str, Any] | None:
        """The next word; what a page says by itself is kept there. None if nothing is answer in time."""
        deadline = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            more = os.read(self._from, 1 << 20)
            if not more:
                raise BrowserError("the browser ended by itself")
            self._buffer += more
        word, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(word)
        page = self.pages.get(answer.get("sessionId", ""))
        if page is not None and "method" in answer:
            page.heard(answer["method"], answer["params"])
        return answer


class Page:
    """One window."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session
        self._loaded = False
        #: What the browser refused, and what failed in the page's script.
        self.complaints: list[str] = []

    def heard(self, method: str, answer: dict[str, Any]) -> None:
        """Take in what the page says by itself."""
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Log.entryAdded" and answer["entry"]["level"] == "error":
            self.complaints.append(f"{answer['entry']['text']} {answer['entry'].get('url', '')}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(answer["exceptionDetails"]))

    def order(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give an order to this window."""
        return self._browser.order(method, self._session, **parameters)

    def look(self, size: tuple[int, int], *, dark: bool = False, scale: float = 1) -> None:
        """Be of that size, and prefer dark or light."""
        width, height = size
        self.order(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.order("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        self._loaded = False
        answer = self.order("Page.navigate", url=url)
        if answer.get("errorText"):
            raise BrowserError(f"{url}: {answer['errorText']}")
        deadline = time.monotonic() + ANSWER_SECONDS
        while not self._loaded:
            if time.monotonic() > deadline:
                raise BrowserError(f"{url} was not loaded within {ANSWER_SECONDS:.0f} s")
            self._browser.listen(0.02)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        answer = self.order("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """The text that is shown in the first such element."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def press(self, key: str, text: str = "") -> None:
        """Press a key, such as Tab or Enter, or one that writes `text`."""
        code = {"Tab": 9, "Enter": 13, " ": 32}.get(key, 0)
        event = {"key": key, "windowsVirtualKeyCode": code} | ({"text": text} if text else {})
        self.order("Input.dispatchKeyEvent", type="keyDown", **event)
        self.order("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def write(self, text: str) -> None:
        """Type into what has the focus."""
        self.order("Input.insertText", text=text)

    def until(self, script: str, seconds: float = 30.0) -> Any:
        """Ask again until the expression is true, and return it; BrowserError when it does not become so."""

        def holds() -> Any:
            with suppress(NavigatedError):  # asked in the moment in which a link is followed
                return self.run(script)
            return None

        return self._until(holds, script, seconds)

    def _until(self, holds: Callable[[], Any], what: str, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while not (answer := holds()):
            if time.monotonic() > deadline:
                raise BrowserError(
                    f"timed out after {seconds:.0f} s waiting for {what}; complaints: {self.complaints}"
                )
            self._browser.listen(0.1)
        return answer

    def picture(self, path: Path, *, most: int | None = None) -> None:
        """Write what the whole page looks like as PNG, down to `most` CSS pixels."""
        width, height = self.run("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, most or height), "scale": 1}
        answer = self.order("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))
