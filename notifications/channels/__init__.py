"""Ways to a person. A channel is a function: it returns when the message is handed over, or raises ChannelError."""

from collections.abc import Callable, Mapping

from notifications.channels.email import ChannelError, send_email
from notifications.models import Delivery

CHANNELS: Mapping[str, Callable[[Delivery], None]] = {"email": send_email}

__all__ = ["CHANNELS", "ChannelError"]
