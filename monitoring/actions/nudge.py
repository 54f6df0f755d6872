"""Tell a worker to look now. Only a hint: without it the outbox is looked at a second later."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def nudge() -> None:
    """Ask for a look at the outbox."""
    ask("notifications.tasks.deliver", expires=5)


def ask(task: str, *about: int, expires: int) -> None:
    """Ask a worker for something. A dead broker costs a moment and a log line, never the result."""
    try:
        current_app.send_task(task, args=about, expires=expires, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("no nudge, the broker does not answer: %s", type(error).__name__)
