"""E-mail over SMTP."""

import hashlib
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from notifications.models import Delivery


class ChannelError(Exception):
    """The message was not handed over; it will be tried again."""


def send_email(delivery: Delivery) -> None:
    """Hand the message to the mail server. The same message bears the same Message-ID however often it is sent."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2]
    key = hashlib.sha256(delivery.once.encode()).hexdigest()[:32]
    message = EmailMessage(
        subject=delivery.subject,
        body=delivery.body,
        to=[delivery.address],
        headers={"Message-ID": f"<{key}@{domain}>", "X-Clozatrack-Once": delivery.once},
    )
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        raise ChannelError(f"{type(error).__name__}: {error}") from error
