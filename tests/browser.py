"""A real Chromium: one that is there, else Debian's package when root, else Playwright's own; never skipped."""

import os
import shutil
import subprocess
import sys
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
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
BY_DAY, AT_NIGHT = ("light", 320), ("dark", 1280)
"""A phone by day and a desk at night; test_every_page.py looks at a desk by day and a phone at night."""
ONLY_CONTRAST = "() => axe.run(document, {resultTypes: ['violations'], runOnly: ['color-contrast']})"
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
    if there := next((found for name in NAMES if (found := shutil.which(name))), None):
        return there
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update"], check=False, **quiet)
        subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
            check=False,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            **quiet,
        )
        if found := shutil.which("chromium"):
            return found
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, capture_output=True)
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    raise RuntimeError(MISSING)


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
