"""What is and is not known of the time before this clinic, in words. Unknown is said as unknown."""

from datetime import UTC, date, datetime
from decimal import Decimal

from monitoring.actions.taking_over import Told
from monitoring.models import TakeOver, Treatment
from monitoring.rules.history import Count
from monitoring.rules.units import plain

LOWEST_UNKNOWN = "Lowest ANC before us unknown: treat as possibly severe before."
FIRST_UNKNOWN = "First dose unknown: tests are weekly, phases counted from the take-over."


def told_in_words(told: Told, treatment: Treatment) -> list[tuple[str, str]]:
    """Tone and sentence for what was just told."""
    first = [("warn", FIRST_UNKNOWN)] if told.first_dose_on is None else []
    return [_lowest_in_words(told.lowest_anc, told.lowest_on, treatment), *first]


def history_in_words(treatment: Treatment) -> list[tuple[str, str]]:
    """Tone and sentence for what the take-over has recorded; nothing for a treatment that began here."""
    taken = TakeOver.objects.filter(treatment=treatment).first()
    if taken is None:
        return []
    first = [("warn", FIRST_UNKNOWN)] if taken.first_dose_on is None else []
    return [_lowest_in_words(taken.lowest_anc, taken.lowest_on, treatment), *first]


def _lowest_in_words(lowest: Decimal | None, on: date | None, treatment: Treatment) -> tuple[str, str]:
    if lowest is None:
        return "stop", LOWEST_UNKNOWN
    table = treatment.table
    rank = table.rank(Count(at=datetime.min.replace(tzinfo=UTC), anc=lowest))
    when = f" on {on}" if on else ", day unknown"
    said = f"Lowest ANC before us {plain(lowest)} /uL{when}: {table.bands[rank].name}."
    if rank == len(table.bands) - 1:
        return "stop", f"Severe neutropenia before. {said}"
    return "warn" if rank else "calm", said
