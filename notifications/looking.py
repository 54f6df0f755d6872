"""A last look at a message before it is handed over: whether it is still true, and what is filled in only now.

Knows nothing of what messages are about: the setting LAST_LOOK names, by the word that `about` begins with, who looks.
Messages of any other kind are not looked at, so nothing here can hold back an alert.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from django.conf import settings
from django.utils.module_loading import import_string

from notifications.models import Delivery

log = logging.getLogger(__name__)
Answer = Literal[True] | datetime | None
"""True: hand it over; a moment: not before then; None: it is not true any more."""
Look = Callable[..., Answer]
LATER, AFTER_ERROR = timedelta(minutes=1), timedelta(minutes=10)


@cache
def _looks(path: str) -> Look:
    found: Look = import_string(path)
    return found


def may_go(delivery: Delivery, *, now: datetime) -> bool:
    """Whether the leased message is to be handed over now; where not, it is put off or withdrawn.

    Its words may be completed in this copy of the row and are not stored: a link or a code rests in no table.
    """
    path = settings.LAST_LOOK.get(delivery.about.partition(":")[0])
    if path is None:
        return True
    try:
        answer = _looks(path)(delivery, now=now)
    except Exception:  # one message that cannot be looked at must not hold back those behind it
        log.exception("delivery %s could not be looked at; it is tried again", delivery.pk)
        answer = now + AFTER_ERROR
    if answer is True:
        return True
    mine = Delivery.objects.filter(pk=delivery.pk, leased_until=delivery.leased_until).waiting()
    if answer is None:
        mine.update(dead_at=now, last_error="withdrawn", leased_until=None)
    else:
        mine.update(due_at=max(answer, now + LATER), leased_until=None)
    return False
