"""Servers for each wire, with the settings that reach them."""

import pytest

from tests.wires.http import Gateway, MailProvider, Server


@pytest.fixture(autouse=True)
def _private(settings):
    """The servers of the tests are on this machine, which no webhook may reach otherwise."""
    settings.PRIVATE_ADDRESSES = True


@pytest.fixture
def gateway(settings):
    with Gateway() as server:
        settings.SMS = server.settings
        yield server


@pytest.fixture
def hook(settings):
    settings.WEBHOOK_SECRET = "the secret of all webhooks"
    with Server() as server:
        yield server


@pytest.fixture
def provider(settings):
    with MailProvider() as server:
        settings.ANYMAIL, settings.MAIL_PROVIDER = server.settings, "postmark"
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        yield server
