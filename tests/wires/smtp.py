"""A real SMTP server that keeps what it was given."""

import asyncio
import contextlib
from email import message_from_bytes

from aiosmtpd.controller import Controller

from clozatrack.embedded import free_port


class Sink:
    """Keeps each message; `answer` is what it says to them, and None is silence."""

    def __init__(self):
        self.messages, self.answer = [], "250 kept"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        self.messages.append(message_from_bytes(envelope.content))
        if self.answer is None:
            await asyncio.sleep(60)
        return self.answer


@contextlib.contextmanager
def mail_server(settings):
    """Running while the block lasts, with the settings that reach it."""
    kept = Sink()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    yield kept
    controller.stop()
