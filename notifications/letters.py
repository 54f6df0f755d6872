"""Messages about something other than an alert: what happened in words that name no patient, and where to look."""

from datetime import datetime

from django.conf import settings

from notifications.models import Delivery

BODY = """{words}.

{call}: {base_url}{path}

This message names no patient on purpose. Decision support: the prescriber decides.
"""


def letter(
    address: str,
    words: str,
    path: str,
    *,
    about: str,
    now: datetime,
    clinic_id: int | None = None,
    call: str = "Open it here (sign-in needed)",
) -> Delivery:
    """One e-mail, ready for the outbox. `words` begin in lower case and name nobody who is treated."""
    return Delivery(
        once=f"{about}:{now.isoformat()}:{address}"[:160],
        address=address,
        subject=f"Clozatrack: {words}"[:200],
        body=BODY.format(words=words[0].upper() + words[1:], base_url=settings.BASE_URL, path=path, call=call),
        about=about,
        clinic_id=clinic_id,
        created_at=now,
        due_at=now,
    )
