"""The words in which a protocol is written: bands, paths, phases, breaks and where each is said.

A protocol is data. When a country's rule does not fit, the vocabulary gains a word that every protocol can
carry; no protocol is ever asked for by its key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from monitoring.rules.errors import InputError
from monitoring.rules.history import Count, Population

Frequency = Literal[
    "daily",
    "twice_weekly",
    "three_times_weekly",
    "weekly",
    "every_2_weeks",
    "every_4_weeks",
    "monthly",
    "every_12_weeks",
    "yearly",
    "every_6_months",
    "none",
]
Advice = Literal["continue", "interrupt", "stop"]
NOT_YET_VERIFIED = "(not yet verified)"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule is written. An unverified one has not been read in the primary document yet."""

    title: str
    section: str = ""
    verified: bool = True

    def cite(self) -> str:
        """The citation as shown beside a reason."""
        place = f"{self.title}, {self.section}" if self.section else self.title
        return place if self.verified else f"{place} {NOT_YET_VERIFIED}"


@dataclass(frozen=True, slots=True)
class Floor:
    """Reached by a count that is at or above every number given (`above`: above it), per microlitre and unrounded."""

    anc: int
    wbc: int | None = None
    above: bool = False

    @property
    def in_words(self) -> str:
        """ANC 1500, or ANC 1500 and WBC 3000; per microlitre."""
        return f"ANC {self.anc}" if self.wbc is None else f"ANC {self.anc} and WBC {self.wbc}"

    def reached_by(self, count: Count) -> bool:
        """Half-open: 1500 reaches 1500; 1499.6 and `<1500` do not. A missing number is not known to be below."""
        return at_least(count.anc, count.anc_bound, self.anc, above=self.above) and (
            self.wbc is None or at_least(count.wbc, count.wbc_bound, self.wbc, above=self.above)
        )


def at_least(value: Decimal | None, bound: str, floor: Decimal | int, *, above: bool = False) -> bool:
    """`<x` is judged as just below x, `>x` as x."""
    if value is None:
        return True
    return value > floor if above or bound == "<" else value >= floor


@dataclass(frozen=True, slots=True)
class Fall:
    """A drop within so many days, by at least so much and to below a level, that makes a normal count a low one."""

    days: int
    anc_by: int
    anc_below: int
    wbc_by: int
    wbc_below: int

    def between(self, before: Count, after: Count) -> bool:
        """Whether either number has fallen so far from one count to the other."""
        return _fell(before.anc, after.anc, self.anc_by, self.anc_below) or _fell(
            before.wbc, after.wbc, self.wbc_by, self.wbc_below
        )


def _fell(before: Decimal | None, after: Decimal | None, by: int, below: int) -> bool:
    return before is not None and after is not None and before - after >= by and after < below


@dataclass(frozen=True, slots=True)
class Step:
    """Test at this frequency until a count reaches the floor (or, if `baseline`, the person's own baseline)."""

    frequency: Frequency
    until: Floor
    baseline: bool = False
    in_a_row: int = 1


@dataclass(frozen=True, slots=True)
class Tail:
    """Tests owed after recovery, a number of them in a row and this many days apart."""

    frequency: Frequency = "weekly"
    results: int = 4
    days: int = 7
    any_band: bool = False
    then_ends: bool = False


Way = Literal["resume", "approval", "never"]


@dataclass(frozen=True, slots=True)
class Band:
    """What a count at or above `floor` (and below the band before it) asks for."""

    name: str
    floor: Floor | None
    treatment: Advice
    path: tuple[Step, ...] = ()
    tail: Tail | None = None
    repeat_within_24h: bool = False
    haematology_consult: bool = False
    consult_below: Floor | None = None
    """Haematology is consulted only once a count of the episode was below this, or with fever."""
    final_when_confirmed: bool = False
    """The first such count is repeated before it is final; until then treatment is interrupted."""
    held_below: Floor | None = None
    """Interrupted below this floor; from it on treatment may resume."""
    way_back: Way = "resume"
    register_non_rechallenge: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """The frequency while all is normal, until so many calendar months or weeks after the first dose."""

    frequency: Frequency
    months: int | None = None
    weeks: int | None = None
    authorised: bool = False
    """Entered only when the service has authorised the step down."""
    only_if_never_below_normal: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """When a test at some frequency is due after the last draw, and the last day on which it is not overdue."""

    due_days: int = 0
    overdue_days: int = 0
    months: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """What a first dose needs: so many counts on different dates, the latest ones at or above the floor."""

    floor: Floor
    counts: int = 1
    max_age_days: int | None = 7
    suggest_ben_workup: bool = False


@dataclass(frozen=True, slots=True)
class Rechallenge:
    """The count that an approved rechallenge needs; `baseline` joins the person's own one to the floor."""

    floor: Floor
    baseline: Literal["ignored", "and", "or"] = "ignored"


@dataclass(frozen=True, slots=True)
class Agreed:
    """The table's limits were agreed for one person, and hold until the end of this day."""

    until: date


@dataclass(frozen=True, slots=True)
class Table:
    """What counts mean in one population: bands from best to worst, and what follows from them."""

    bands: tuple[Band, ...]
    start: Start
    rechallenge: Rechallenge
    fall: Fall | None = None
    """Such a drop counts as the band after the best."""
    verified: bool = True
    agreed: Agreed | None = field(default=None, repr=False)
    """Set where the limits are not the protocol's own."""

    def __post_init__(self) -> None:
        floors = [band.floor for band in self.bands]
        if not self.bands or floors[-1] is not None or None in floors[:-1]:
            raise InputError("bands", "every band but the last and worst needs a floor, and the last has none")
        ancs = [floor.anc for floor in floors if floor]
        if ancs != sorted(set(ancs), reverse=True):
            raise InputError("bands", f"floors must fall from the best band to the worst, not {ancs}")

    def rank(self, count: Count) -> int:
        """Which band the count is in: 0 is the best."""
        for rank, band in enumerate(self.bands):
            if band.floor is None or band.floor.reached_by(count):
                return rank
        raise InputError("bands", "the last band must catch every count")


@dataclass(frozen=True, slots=True)
class Breaks:
    """What a break in treatment asks for on restarting."""

    retitrate_hours: int = 48
    as_new_days: int = 30
    extra_weekly_over_hours: int | None = None
    extra_weekly_weeks: int = 6
    waived_after_clean_weeks: int | None = None
    """After so many weeks of treatment without any count below normal a break changes nothing."""


@dataclass(frozen=True, slots=True)
class Fever:
    """A temperature that asks for a count at once."""

    celsius: Decimal = Decimal("38.5")
    days_after_last_dose: int = 14
    interrupts: bool = True
    frequency: Frequency | None = None
    """How often tests are taken while it is unanswered; null: as the phase or the path says."""


Reach = Literal["margin", "window", "due"]
"""How far a supply may reach: past the last day in time by the clinic's margin, to that day, or to the due day."""


@dataclass(frozen=True, slots=True)
class Supply:
    """For how many days tablets may be supplied at each frequency, counted from the draw or from the day of supply."""

    days: Mapping[Frequency, int]
    from_draw: bool = False
    reaches: Reach = "margin"
    """Where days count from the draw: at a frequency that is not listed."""
    late_collection_hours: int | None = None
    """Collected later than this after the draw, the quantity is reduced by the days since the draw."""
    to_know: Mapping[str, str] = field(default_factory=dict)
    """What whoever dispenses should know and what never blocks: rule id to sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One country's rules as of one date; never edited in meaning once published."""

    key: str
    title: str
    country: str
    in_force_from: date
    retired_on: date | None = None
    tables: Mapping[Population, Table]
    phases: tuple[Phase, ...]
    windows: Mapping[Frequency, Window]
    breaks: Breaks
    fever: Fever
    hospice: Frequency | None = None
    ends_after_stop: Tail | None = None
    """Tests owed after stopping for another reason; null: until one normal count."""
    needs_wbc: bool = False
    supply: Supply | None = None
    sources: Mapping[str, Source] = field(repr=False)
    """Rule id to source; `*` is the protocol's own document."""

    def __post_init__(self) -> None:
        if "*" not in self.sources:
            raise InputError("sources", f"{self.key} must name the document that it comes from")
        for frequency in self._frequencies() - set(self.windows):
            raise InputError("windows", f"{self.key} tests {frequency} and does not say when that is overdue")

    def _frequencies(self) -> set[Frequency]:
        used: set[Frequency] = {phase.frequency for phase in self.phases}
        for table in self.tables.values():
            for band in table.bands:
                used.update(step.frequency for step in band.path)
                used.update([band.tail.frequency] if band.tail else [])
        return used | {frequency for frequency in (self.hospice, self.fever.frequency) if frequency}

    def source(self, rule: str) -> Source:
        """Where a rule is written: by its id, else by its first word, else the protocol's own document."""
        return self.sources.get(rule) or self.sources.get(rule.partition(".")[0]) or self.sources["*"]
