"""What follows from a patient's own answers to "Feeling unwell?": a table, the most urgent first.

Each row says when it holds, how soon staff have to answer, what they read, and under which code the patient's own page
words the advice. Sources: clinical rules 1.7 (breaks), 1.9 (fever and infection), 1.11 (tobacco), 7 (bowels, heart).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from monitoring.rules.errors import InputError

SEVERE, MODERATE, MILD = 1, 2, 3
"""As Severity of an alert."""
FEVER_CELSIUS = Decimal("38.5")
COLDEST, HOTTEST = Decimal(34), Decimal(43)
MOST_DAYS = 365
SMOKING = ("", "stopped", "started")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was ticked. `celsius` where it was measured; `missed_days` are days on end without any dose."""

    fever: bool = False
    celsius: Decimal | None = None
    sore_throat: bool = False
    weak: bool = False
    chest_pain: bool = False
    fast_heart: bool = False
    constipated: bool = False
    belly: bool = False
    smoking: str = ""
    missed_days: int = 0

    def __post_init__(self) -> None:
        """Raises InputError for what cannot be."""
        if self.celsius is not None and not COLDEST <= self.celsius <= HOTTEST:
            raise InputError("celsius", f"{self.celsius} °C is not possible; write it such as 38.6")
        if not 0 <= self.missed_days <= MOST_DAYS:
            raise InputError("missed_days", f"{self.missed_days} days; write 0 to {MOST_DAYS}")
        if self.smoking not in SMOKING:
            raise InputError("smoking", f"{self.smoking!r} is no answer; known: stopped, started or nothing")

    @property
    def hot(self) -> bool:
        """A temperature that the rules call fever was measured."""
        return self.celsius is not None and self.celsius >= FEVER_CELSIUS

    def as_dict(self) -> dict[str, Any]:
        """For storing; the temperature as text, exactly as it was told."""
        return asdict(self) | {"celsius": None if self.celsius is None else str(self.celsius)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    code: str
    severity: int
    says: str
    holds: Callable[[Answers, int], bool]
    """Of the answers, and the hours of a break after which the dose is built up anew."""
    emergency: bool = False
    test_today: bool = False
    source: str = ""


TABLE: Sequence[Finding] = (
    Finding("chest_pain", SEVERE, "Chest pain: told to call for emergency help. Think of myocarditis.",
            lambda told, _: told.chest_pain, emergency=True, source="7, myocarditis"),
    Finding("fast_heart", SEVERE, "Fast or pounding heart: told to call for emergency help if it goes on at rest."
            " Think of myocarditis.", lambda told, _: told.fast_heart, emergency=True, source="7, myocarditis"),
    Finding("belly", SEVERE, "Severe belly pain, swelling or vomiting: told to call for emergency help."
            " Think of ileus.", lambda told, _: told.belly, emergency=True, source="7, constipation"),
    Finding("fever", MODERATE, "Fever: blood count today, look for an infection.",
            lambda told, _: told.fever or told.hot, test_today=True, source="1.9"),
    Finding("infection", MODERATE, "Sore throat or marked weakness: blood count today, ask for the temperature where"
            " it is not known.", lambda told, _: told.sore_throat or told.weak, test_today=True, source="1.9"),
    Finding("missed", MODERATE, "Doses missed for so long that the dose is built up anew from 12.5 mg: told not to"
            " restart at the old dose.", lambda told, hours: told.missed_days * 24 >= hours, source="1.7"),
    Finding("stopped_smoking", MODERATE, "Stopped smoking: the level may rise by about half. Consider a lower dose and"
            " a level.", lambda told, _: told.smoking == "stopped", source="1.11"),
    Finding("constipated", MODERATE, "No bowel movement for over 3 days: treat constipation now.",
            lambda told, _: told.constipated and not told.belly, source="7, constipation"),
    Finding("started_smoking", MILD, "Started smoking: the level may fall. Consider a level.",
            lambda told, _: told.smoking == "started", source="1.11"),
    Finding("missed_some", MILD, "A dose was missed for less than two days.",
            lambda told, hours: 0 < told.missed_days * 24 < hours, source="1.7"),
)  # fmt: skip


def findings(told: Answers, *, retitrate_hours: int) -> list[Finding]:
    """What holds, the most urgent first; nothing where all is well."""
    return [row for row in TABLE if row.holds(told, retitrate_hours)]
