"""A live server, a real browser, and people who sign in."""

import os

import pytest
from django.test import Client
from playwright.sync_api import sync_playwright

from tests.browser import FLAGS, WATCH_POLICY, chromium, quick
from tests.wires import slow_line


@pytest.fixture(scope="session", autouse=True)
def _line():
    with pytest.MonkeyPatch.context() as patch:
        slow_line.lay(patch)
        yield


@pytest.fixture(scope="session")
def playwright():
    # Playwright keeps an event loop in this thread; Django would refuse the database because of it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright):
    started = playwright.chromium.launch(executable_path=quick(playwright), args=FLAGS)
    yield started
    started.close()


@pytest.fixture(scope="session")
def whole_browser(playwright):
    """For what the system shows outside the page; a test that asks for it is given its pages there."""
    started = playwright.chromium.launch(executable_path=chromium(playwright), args=FLAGS)
    yield started
    started.close()


@pytest.fixture
def open_page(request, live_server):
    """A fresh page of a given width, of somebody who is signed in; `at` an address if one is given."""
    contexts = []
    browser = request.getfixturevalue("whole_browser" if "whole_browser" in request.fixturenames else "browser")

    def open_as(staff=None, *, at=None, width=1280, javascript=True, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            base_url=live_server.url,
            java_script_enabled=javascript,
            color_scheme=scheme,
        )
        contexts.append(context)
        if staff:
            person = Client()
            person.force_login(staff)
            context.add_cookies([{"name": "sessionid", "value": person.session.session_key, "url": live_server.url}])
        page = context.new_page()
        if javascript:
            page.add_init_script(WATCH_POLICY)
        if at:
            page.goto(at)
        return page

    yield open_as
    for context in contexts:
        context.close()
