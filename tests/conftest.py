"""What every test shares."""

import pytest


@pytest.fixture(autouse=True)
def _no_mail_by_accident(settings):
    """Mail goes nowhere unless a test starts a mail server of its own."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9


@pytest.fixture(autouse=True)
def _no_rates(settings):
    """Tests that run side by side share one Valkey: no bucket but where a test asks for one."""
    settings.RATES = {}
