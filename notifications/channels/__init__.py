"""Ways to a person. A channel is a function: it returns the provider's id when the message is handed over, or raises.

ChannelError: surely not handed over, tried again. RefusedError: never will be. UnsureError: nobody knows.
"""

from collections.abc import Callable, Mapping

from notifications.channels.email import send_email
from notifications.channels.errors import ChannelError, NotSetUpError, RefusedError, UnsureError
from notifications.channels.sms import send_sms
from notifications.channels.webhook import send_webhook
from notifications.channels.webpush import send_webpush
from notifications.models import Delivery

CHANNELS: Mapping[str, Callable[[Delivery], str]] = {
    "email": send_email,
    "sms": send_sms,
    "webpush": send_webpush,
    "webhook": send_webhook,
}

__all__ = ["CHANNELS", "ChannelError", "NotSetUpError", "RefusedError", "UnsureError"]
