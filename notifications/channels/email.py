"""E-mail: over SMTP, or through a provider's HTTP interface (django-anymail), as the settings say."""

import hashlib
import smtplib

import requests
from anymail.exceptions import AnymailError, AnymailRequestsAPIError
from django.conf import settings
from django.core.mail import EmailMessage

from notifications.channels.errors import ChannelError, RefusedError, UnsureError
from notifications.channels.wire import broken
from notifications.models import Delivery


def send_email(delivery: Delivery) -> str:
    """Hand the message to the mail server. The same message bears the same Message-ID however often it is sent."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2]
    key = hashlib.sha256(delivery.once.encode()).hexdigest()[:32]
    message = EmailMessage(
        subject=delivery.subject,
        body=delivery.body,
        to=[delivery.address],
        headers={"Message-ID": f"<{key}@{domain}>", "X-Once": delivery.once},
    )
    message.metadata = {"delivery": str(delivery.pk)}  # type: ignore[attr-defined]  # anymail's own, for its receipts
    try:
        message.send()
    except (smtplib.SMTPException, OSError, AnymailError) as error:
        raise _refusal(error) from error
    status = getattr(message, "anymail_status", None)
    return str(status.message_id or "")[:200] if status else ""


def _refusal(error: Exception) -> ChannelError:
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, AnymailRequestsAPIError):
        if isinstance(error.__cause__, requests.RequestException):
            return broken(error.__cause__)
        return UnsureError(said) if (error.status_code or 500) >= 500 else ChannelError(said)
    if isinstance(error, AnymailError):
        return RefusedError(said)
    # smtplib says so whenever the wire breaks after it had connected, also behind the last dot of the message.
    return UnsureError(said) if isinstance(error, smtplib.SMTPServerDisconnected) else ChannelError(said)
