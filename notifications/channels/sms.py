"""SMS through a provider with Twilio's HTTP interface."""

import re
from functools import lru_cache

import requests
from django.conf import settings
from django.urls import reverse
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from notifications.channels.errors import ChannelError, NotSetUpError, RefusedError, UnsureError
from notifications.channels.wire import TIMEOUT, broken
from notifications.models import Delivery

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
"""A telephone number as the world writes it: +, country, number, without spaces."""
NEVER = frozenset({400, 404, 410})
"""The provider knows this message and will not take it: no such number, or the person has opted out."""


def send_sms(delivery: Delivery) -> str:
    """Hand the message to the provider; returns the provider's id for it."""
    if not E164.fullmatch(delivery.address):
        raise RefusedError("the number is not written as +15551234567; correct it")
    sms = settings.SMS
    missing = [name for name in ("account", "token", "sender") if not sms[name]]
    if missing:
        names = ", ".join(f"CLOZATRACK_SMS_{name.upper()}" for name in missing)
        raise NotSetUpError(f"SMS is not set up here: set {names}")
    origin = {"messaging_service_sid": sms["sender"]} if sms["sender"].startswith("MG") else {"from_": sms["sender"]}
    receipts = settings.BASE_URL + reverse("sms_receipt", args=[delivery.pk])
    provider = _client(sms["account"], sms["token"], sms["base_url"])
    try:
        taken = provider.messages.create(to=delivery.address, body=delivery.body, status_callback=receipts, **origin)
    except TwilioRestException as error:
        raise _refusal(error) from error
    except requests.RequestException as error:
        raise broken(error) from error
    return str(taken.sid)


@lru_cache(maxsize=4)
def _client(account: str, token: str, base_url: str) -> Client:
    """One client a process: making one reads hundreds of the package's modules."""
    client = Client(account, token, http_client=TwilioHttpClient(timeout=TIMEOUT))
    client.api.base_url = base_url
    return client


def _refusal(error: TwilioRestException) -> ChannelError:
    said = f"the provider answered {error.status}, code {error.code}"
    if error.status in NEVER:
        return RefusedError(said)
    # A gateway that fails may have passed the message on before.
    return UnsureError(said) if error.status >= 500 else ChannelError(said)
