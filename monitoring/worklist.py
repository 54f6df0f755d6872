"""What a clinic does today: the sections of the worklist, each one question that an index answers in order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.feed_health import result_late
from monitoring.keyset import PAGE, Order, Page, id_of, moment, page_of
from monitoring.models import Alert, Booking, Cause, Draw, Merge, Severity, Treatment
from monitoring.models.treatment import EVERY_DAY
from monitoring.rules.protocols import PROTOCOLS
from monitoring.running_out import running_out
from patients.closed_days import Days, closed_days_of, open_day_after, open_day_on_or_before
from patients.models import Clinic, Staff

DAYS_AHEAD = 7
LOOK_FOR_CLOSED = timedelta(days=60)
"""So far ahead a closed day can matter to the list: it moves a draw of the days ahead."""
SHORT = 15
LONGEST_WINDOW = timedelta(
    days=max(
        window.overdue_days - window.due_days for protocol in PROTOCOLS.values() for window in protocol.windows.values()
    )
)
"""Nothing that is still in time was due longer ago than this: it keeps the look at "due" short."""
LONGEST_BREAK = timedelta(days=max(protocol.breaks.as_new_days for protocol in PROTOCOLS.values()))
SHORTEST_BREAK = timedelta(days=min(protocol.breaks.as_new_days for protocol in PROTOCOLS.values()))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the worklist: its name in addresses, its heading, its order, and what belongs to it on a day."""

    name: str
    title: str
    none: str
    order: Order
    wanted: Callable[[date, Clinic, Days], list[Q]]
    """Conditions that exclude each other, each answered by one stretch of an index."""
    size: int = PAGE


def _by(column: str, *, descending: bool = False) -> Order:
    return Order((column, "pk"), (date.fromisoformat, id_of), descending)


def draw_by(due_on: date, frequency: str, closed: Days = ()) -> date:
    """The open day on which blood due then is drawn: a day that is not open moves it earlier, never later (H22)."""
    return due_on if frequency in EVERY_DAY else open_day_on_or_before(due_on, closed)


def _overdue(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    return [Q(overdue_after__lt=day)]


def _due_today(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    """Due, still in time, or due on the weekend or the closed days that begin tomorrow."""
    in_time = Q(due_on__gte=day - LONGEST_WINDOW, due_on__lt=open_day_after(day, closed), overdue_after__gte=day)
    return [in_time & (Q(due_on__lte=day) | ~Q(frequency__in=EVERY_DAY))]


def _due_soon(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    """To be drawn in the days ahead; of what is due before the next open day only what no closed day moves."""
    tomorrow, last = day + timedelta(days=1), day + timedelta(days=DAYS_AHEAD)
    work, after = open_day_after(day, closed), open_day_after(last, closed)
    every_day, in_time = Q(frequency__in=EVERY_DAY), Q(overdue_after__gte=day)
    ahead = [in_time & Q(due_on__gte=work, due_on__lt=after) & (Q(due_on__lte=last) | ~every_day)]
    if work == tomorrow:
        return ahead
    return [in_time & every_day & Q(due_on__gt=day, due_on__lt=min(work, last + timedelta(days=1))), *ahead]


def _paused(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    # Where a clean history outweighs the break, no day changes it.
    for_now = Q(paused_since__gt=day - SHORTEST_BREAK, changes_on=None)
    return [Q(paused_since__gt=day - LONGEST_BREAK, changes_on__gt=day), for_now]


def _long_off(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    return [Q(paused_since__lte=day - SHORTEST_BREAK) & (Q(changes_on=None) | Q(changes_on__lte=day))]


def _tablets(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    return [running_out(day, clinic)]


def _unreviewed(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    return [Q(unreviewed_since__isnull=False)]


def _unreached(day: date, clinic: Clinic, closed: Days) -> list[Q]:
    return [Q(unreached_since__isnull=False)]


LATE = "late"
UNREACHED = "unreached"
UNREVIEWED = "unreviewed"
SELDOM = (UNREACHED, UNREVIEWED)
"""Parts that are not shown while nobody is in them."""
SECTIONS = (
    Section("overdue", "Overdue", "Nobody is overdue.", _by("overdue_after"), _overdue),
    Section(LATE, "Result late: the laboratory is silent", "No result is late.", _by("overdue_after"), _overdue),
    Section(
        "tablets",
        "Tablets run out",
        "Nobody's tablets run out without a test that is booked.",
        _by("tablets_until"),
        _tablets,
    ),
    Section("due", "Due today", "Nothing is due today.", _by("due_on"), _due_today),
    Section("soon", "Due in the next 7 days", "Nothing is due in the next 7 days.", _by("due_on"), _due_soon, SHORT),
    Section("paused", "Paused", "Nobody is paused.", _by("paused_since"), _paused, SHORT),
    Section(
        UNREVIEWED,
        "Received, not looked at",
        "Every result was looked at.",
        Order(("unreviewed_since", "pk"), (moment, id_of)),
        _unreviewed,
        SHORT,
    ),
    Section(
        UNREACHED,
        "Messages come back",
        "Everybody's messages arrive.",
        Order(("unreached_since", "pk"), (moment, id_of)),
        _unreached,
        SHORT,
    ),
    Section(
        "off", "Off treatment for 30 days or more", "Nobody.", _by("paused_since", descending=True), _long_off, SHORT
    ),
)
ALERTS = Order(("severity", "raised_at", "pk"), (id_of, moment, id_of))
ENDED = Order(("resolved_at", "pk"), (moment, id_of), descending=True)
RECENTLY = timedelta(days=14)
DRAWN = Order(("drawn_at", "pk"), (moment, id_of))


@dataclass(frozen=True)
class Filter:
    """What of the worklist is asked for: whose patients, in which state, at which of one's clinics."""

    mine: bool = False
    state: str = ""
    clinics: Sequence[Clinic] = field(default_factory=list)
    closed: Mapping[int, Days] = field(default_factory=dict)
    """The clinics' closed days that matter now, by clinic."""

    def of_treatments(self, staff: Staff, path: str = "") -> Q:
        """The condition on treatments, or on what belongs to one under `path`."""
        found = Q()
        if self.mine:
            found &= Q(**{f"{path}clinician": staff})
        kind, _, value = self.state.partition(":")
        if value:
            found &= Q(**{f"{path}{kind}": value})
        return found


def states(clinics: Sequence[Clinic]) -> Mapping[str, str]:
    """What one may filter by, and in which words: the bands of the clinics' protocols, and the advice."""
    keys = {clinic.default_protocol for clinic in clinics if clinic.default_protocol in PROTOCOLS}
    bands = {
        band.name: None for key in sorted(keys) for table in PROTOCOLS[key].tables.values() for band in table.bands
    }
    found = {f"band:{name}": f"Last count: {name}" for name in bands}
    return found | {f"advice:{code}": f"Advice: {words.lower()}" for code, words in ADVICE_IN_WORDS.items()}


def closed_ahead(clinics: Sequence[Clinic], now: datetime) -> Mapping[int, Days]:
    """The closed days that can move a draw on today's list, by clinic."""
    return closed_days_of(clinics, since=now.date() - LONGEST_WINDOW, until=now.date() + LOOK_FOR_CLOSED)


def not_merged(path: str = "pk") -> Combinable:
    """True of a treatment that is no second record of somebody else."""
    return ~Exists(Merge.objects.filter(merged=OuterRef(path), undone_at=None))


Silent = Mapping[int, list[str]]


def section_of(section: Section, clinic: Clinic, now: datetime, closed: Days, silent: list[str]) -> list[Q]:
    """What belongs to a section at a clinic now; a silent laboratory makes of an overdue test a late result (H24)."""
    wanted = section.wanted(now.astimezone(clinic.zone).date(), clinic, closed)
    if section.name == LATE:
        return [one & result_late(silent) for one in wanted] if silent else []
    if section.name == "overdue" and silent:
        return [one & ~result_late(silent) for one in wanted]
    return wanted


def section_page(
    section: Section, *, staff: Staff, asked: Filter, now: datetime, mark: str, silent: Silent, size: int | None = None
) -> Page:
    """A page of one section. `silent`: the sources that are silent, by clinic."""
    lists: list[QuerySet[Treatment]] = [
        Treatment.objects.filter(wanted, asked.of_treatments(staff), not_merged(), clinic=clinic)
        for clinic in asked.clinics
        for wanted in section_of(section, clinic, now, asked.closed.get(clinic.pk, ()), silent.get(clinic.pk, []))
    ]
    return page_of(lists, section.order, mark, size=size or section.size)


def drawn_page(*, staff: Staff, asked: Filter, mark: str, size: int | None = None) -> Page:
    """Drawn and no result yet, the longest ago first."""
    lists = [
        Draw.objects.filter(
            asked.of_treatments(staff, "treatment__"), not_merged("treatment"), clinic=clinic, ended_at=None
        )
        for clinic in asked.clinics
    ]
    return page_of(lists, DRAWN, mark, size=size or SHORT)


def alerts_page(*, staff: Staff, asked: Filter, mark: str, size: int | None = None) -> Page:
    """Alerts that stand, the most severe and then the oldest first. Those of a merged record stand too.

    That a test is overdue or that tablets will run out is said by its own section, row by row; those alerts are on the
    alerts' page. Once somebody is without tablets, it stands here too.
    """
    whose = [Q()]
    if asked.mine:
        others = Q(owner=None) | ~Q(owner=staff)
        whose = [Q(owner=staff), Q(treatment__clinician=staff) & others]
    told_below = Q(cause=Cause.TEST_OVERDUE) | Q(cause=Cause.SUPPLY_ENDS, severity=Severity.ROUTINE)
    state = Filter(state=asked.state).of_treatments(staff, "treatment__") & ~told_below
    lists = [
        Alert.objects.filter(mine, state, clinic=clinic, resolved_at=None) for clinic in asked.clinics for mine in whose
    ]
    return page_of(lists, ALERTS, mark, size=size or PAGE)


def alert_lists(name: str, *, staff: Staff, clinics: Sequence[Clinic], now: datetime) -> list[QuerySet[Alert]]:
    """The lists of the alerts' own page, one a clinic: mine, everybody's, or those resolved lately."""
    wanted = {"mine": Q(resolved_at=None, owner=staff), "resolved": Q(resolved_at__gte=now - RECENTLY)}
    condition = wanted.get(name, Q(resolved_at=None))
    return [Alert.objects.filter(condition, clinic=clinic) for clinic in clinics]


# The ids below come from the pages above, so they belong to clinics that this person may see; asking for that again
# in each of these questions would cost as much as the question.


def treatments_on(pages: Iterable[Page], clinics: Sequence[Clinic]) -> dict[int, Treatment]:
    """The treatments on these pages, with their patients."""
    ids = {pk for page in pages for pk in page.ids}
    known = {clinic.pk: clinic for clinic in clinics}
    found = Treatment.objects.filter(pk__in=ids).select_related("patient").in_bulk()
    for treatment in found.values():
        treatment.clinic = known[treatment.clinic_id]
    return found


def draws_on(page: Page, clinics: Sequence[Clinic]) -> dict[int, Draw]:
    """The draws on a page, with their treatments and patients."""
    known = {clinic.pk: clinic for clinic in clinics}
    found = Draw.objects.filter(pk__in=page.ids).select_related("treatment__patient").in_bulk()
    for draw in found.values():
        draw.clinic = draw.treatment.clinic = known[draw.clinic_id]
    return found


def open_draws(treatments: Mapping[int, Treatment]) -> dict[int, Draw]:
    """The draw that each of these treatments waits for, by treatment."""
    found = {draw.treatment_id: draw for draw in Draw.objects.filter(treatment__in=treatments, ended_at=None)}
    for pk, draw in found.items():
        draw.clinic = treatments[pk].clinic
    return found


def open_bookings(treatments: Iterable[int]) -> dict[int, Booking]:
    """The test that is booked for each of these treatments, by treatment."""
    return {row.treatment_id: row for row in Booking.objects.filter(treatment__in=treatments, ended_at=None)}


def alerts_on(page: Page, clinics: Sequence[Clinic]) -> dict[int, Alert]:
    """The alerts on a page, with their patients, owners and who is on them."""
    known = {clinic.pk: clinic for clinic in clinics}
    people = ("treatment__patient", "owner", "acknowledged_by")
    found = Alert.objects.filter(pk__in=page.ids).select_related(*people).in_bulk()
    for alert in found.values():
        alert.clinic = known[alert.clinic_id]
    return found
