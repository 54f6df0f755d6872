"""The morning's mail: how much the day's list holds, in numbers alone, to whoever of the staff wants it."""

from patients.models import Clinic, Role, Staff

USUAL = (Role.NURSE, Role.PRESCRIBER)
"""Whose day the list is: they get the mail unless they turn it off; others turn it on."""


def wants_mail(staff: Staff, clinic: Clinic) -> bool:
    """Whether the mail comes to this person from this clinic: what they said, else what is usual."""
    rows = list(staff.memberships.filter(clinic=clinic, active=True))
    said = [row.daily_mail for row in rows if row.daily_mail is not None]
    return any(said) if said else any(row.role in USUAL for row in rows)
