"""A live server, a real browser, and people who sign in."""

import os

import pytest
from playwright.sync_api import sync_playwright

from tests.browser import FLAGS, WATCH_POLICY, chromium
from tests.wires import slow_line


@pytest.fixture(scope="session", autouse=True)
def _line():
    with pytest.MonkeyPatch.context() as patch:
        slow_line.lay(patch)
        yield


@pytest.fixture(scope="session")
def browser():
    # Playwright keeps an event loop in this thread; Django would refuse the database because of it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(playwright), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, live_server):
    """A fresh page of a given width, signed in as somebody."""
    contexts = []

    def open_as(staff=None, *, width=1280, javascript=True, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            base_url=live_server.url,
            java_script_enabled=javascript,
            color_scheme=scheme,
        )
        contexts.append(context)
        page = context.new_page()
        if javascript:
            page.add_init_script(WATCH_POLICY)
        if staff:
            page.goto("/sign-in/")
            page.fill("#id_username", staff.username)
            page.fill("#id_password", "a long password")
            page.click("text=Sign in >> nth=-1")
            page.wait_for_url(lambda address: "/sign-in/" not in address)
        return page

    yield open_as
    for context in contexts:
        context.close()
