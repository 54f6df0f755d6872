"""A real Chromium: one that is there, else Debian's package when root, else Playwright's own; never skipped."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from tests.waiting import wait_until

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HEADLESS = "chromium-headless-shell"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
BY_DAY, AT_NIGHT = ("light", 320), ("dark", 1280)
"""A phone by day and a desk at night; test_every_page.py looks at a desk by day and a phone at night."""
ONLY_CONTRAST = "() => axe.run(document, {resultTypes: ['violations'], runOnly: ['color-contrast']})"
UP = """async () => (await navigator.serviceWorker.getRegistrations())
    .every(one => one.active && one.active.state === "activated")"""
MISSING = (
    "The browser tests need Chromium and none could be had. Install Debian's package (apt-get install chromium),"
    " or name one in CLOZATRACK_CHROMIUM."
)


def chromium(playwright):
    """The path of a Chromium. Raises RuntimeError with the sentence that says what to install."""
    if given := os.environ.get("CLOZATRACK_CHROMIUM"):
        if not os.access(given, os.X_OK):
            raise RuntimeError(f"CLOZATRACK_CHROMIUM names {given}, which is no program that can be run.")
        return given
    if there := _there() or _from_debian():
        return there
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, capture_output=True)
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    raise RuntimeError(MISSING)


def quick(playwright):
    """The path of a Chromium without the parts that only a screen needs, where there is one: it takes half the work.

    Pages are laid out, drawn and driven alike; only notices of the system cannot be shown. None: Playwright's own.
    """
    whole = chromium(playwright)
    if whole == playwright.chromium.executable_path:
        return None
    return whole if "CLOZATRACK_CHROMIUM" in os.environ else shutil.which(HEADLESS) or whole


def _there():
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def _from_debian():
    """Debian's package, and its headless one where Debian has it; workers that begin together install it once."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    with (Path(tempfile.gettempdir()) / "clozatrack-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _there():
            _apt_get("update")
            _apt_get("install", "-y", "--no-install-recommends", "chromium")
            _apt_get("install", "-y", "--no-install-recommends", HEADLESS)
    return _there()


def _apt_get(*words):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["apt-get", *words], check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, **quiet)


def says(page, words, within="main"):
    """The words are in that part of the page, or come into it: a click may have only just sent for the page."""
    expect(page.locator(within)).to_contain_text(words, use_inner_text=True, timeout=30_000)


def read(page, within="main"):
    """What stands in that part of the page once all of the page has come: a click waits for its beginning only."""
    page.wait_for_load_state()
    return page.locator(within).inner_text()


def notices(page, script, many):
    """What the browser shows, as the script reads it, once it shows that many."""
    wait_until(lambda: len(page.evaluate(script)) >= many, longest=30, pause=lambda _: page.wait_for_timeout(50))
    return page.evaluate(script)


def push_to(page, wire, **message):
    """A push message of the service, once the worker that shall show it is up: one that is not loses it."""
    wait_until(lambda: page.evaluate(UP), longest=30, pause=lambda _: page.wait_for_timeout(50))
    wire.send("ServiceWorker.deliverPushMessage", message)


def unreadable(page):
    """What has too little contrast, where axe is in the page already."""
    found = page.evaluate(ONLY_CONTRAST)["violations"]
    return [node["html"] for rule in found for node in rule["nodes"]]


def dressed(page, scheme, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    return page


def fits_both_dresses(page):
    """On a phone by day all that axe can see, at a desk at night whether it can be read; no wider than either."""
    assert_accessible(dressed(page, *BY_DAY))
    for dress in (BY_DAY, AT_NIGHT):
        wide = dressed(page, *dress).evaluate("document.documentElement.scrollWidth")
        assert wide <= dress[1], f"{page.url} is {wide} px wide on {dress}"
    assert unreadable(page) == [], page.url
    dressed(page, *BY_DAY)


def assert_accessible(page):
    """No violation that axe can see, and nothing that the content security policy had to stop."""
    page.wait_for_load_state()
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert not found["violations"], [
        (rule["id"], rule["help"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]
    ]
    assert page.evaluate("() => window.policyViolations ?? []") == []


WATCH_POLICY = """
window.policyViolations = [];
document.addEventListener('securitypolicyviolation', event => policyViolations.push(event.violatedDirective));
"""
