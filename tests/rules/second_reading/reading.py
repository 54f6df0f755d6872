"""A second reading of the rules, written from the two documents alone and without a look at the engine.

Naive on purpose: it replays everything for every question, in its own words, so that a mistake has to be made twice
to go unseen. Where the documents are open it takes the readings that DECISIONS.md names.
"""

import calendar
import decimal
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

decimal.getcontext().prec = 400

PROTOCOLS = ("us-label-2025", "us-label-2015")
KINDS = (
    "count",
    "correction",
    "entered_in_error",
    "first_dose",
    "last_dose",
    "restart",
    "rechallenge_approved",
    "hospice_agreed",
    "fever",
)
THOUSANDS = {
    "/uL": 1,
    "/mm3": 1,
    "cells/uL": 1,
    "10*3/uL": 1000,
    "K/uL": 1000,
    "x10^3/uL": 1000,
    "10*9/L": 1000,
    "x10^9/L": 1000,
    "G/L": 1000,
}
UNITS = {
    spelling: factor
    for unit, factor in THOUSANDS.items()
    for spelling in (unit, unit.replace("uL", "\u00b5L"), unit.replace("uL", "\u03bcL"))
}


class RefusedError(Exception):
    def __init__(self, field, message):
        super().__init__(message)
        self.field, self.message = field, message


# ---------------------------------------------------------------- numbers and times


class Amount:
    """A count per microlitre, with the sign it came with."""

    def __init__(self, value, sign=""):
        self.value, self.sign = value, sign

    def below(self, bound):
        return self.value < bound or (self.sign == "<" and self.value <= bound)

    def lowness(self):
        return (self.value, "< >".index(self.sign or " "))

    def __str__(self):
        text = format(self.value, "f")
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return self.sign + text


def number(raw, field, signs=False):
    """(sign, Decimal). Non-negative plain decimals only."""
    if isinstance(raw, bool) or raw is None or not isinstance(raw, (int, float, Decimal, str)):
        raise RefusedError(field, "not a number")
    if isinstance(raw, str):
        match = re.fullmatch(r"([<>]?)([0-9]+(?:\.[0-9]+)?)", raw)
        if not match or (match[1] and not signs):
            raise RefusedError(field, "not a plain decimal number")
        return match[1], Decimal(match[2])
    value = raw if isinstance(raw, Decimal) else Decimal(repr(raw))
    if not value.is_finite() or value < 0:
        raise RefusedError(field, "not a finite number of zero or more")
    return "", value


def moment(raw, field, zone, date_allowed):
    """(instant in UTC, local date, time known?)."""
    if not isinstance(raw, str):
        raise RefusedError(field, "not a timestamp")
    if re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
        if not date_allowed:
            raise RefusedError(field, "needs a time and an offset")
        try:
            day = date.fromisoformat(raw)
        except ValueError:
            raise RefusedError(field, "no such date")
        local = datetime(day.year, day.month, day.day, tzinfo=zone)
        return local.astimezone(UTC), day, False
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", raw):
        raise RefusedError(field, "not a timestamp")
    try:
        when = datetime.fromisoformat(raw)
    except ValueError:
        raise RefusedError(field, "not a timestamp")
    if when.tzinfo is None:
        raise RefusedError(field, "a timestamp needs an offset")
    try:
        return when.astimezone(UTC), when.astimezone(zone).date(), True
    except OverflowError:
        raise RefusedError(field, "outside the calendar")


def plus_months(day, months):
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


# ---------------------------------------------------------------- section 6: a count


class Event:
    def __init__(self, raw, zone, index):
        self.raw, self.index, self.kind = raw, index, raw.get("kind")
        if self.kind not in KINDS:
            raise RefusedError("kind", f"unknown kind {self.kind!r}")
        self.at, self.day, self.time_known = moment(raw.get("at"), "at", zone, True)
        self.anc = self.wbc = None


def read_count(fields):
    """(anc, wbc) of one count; wbc None when not reported."""
    unit = fields.get("unit")
    if not isinstance(unit, str) or unit not in UNITS:
        raise RefusedError("unit", "accepted units: " + ", ".join(THOUSANDS))
    factor = UNITS[unit]
    percents = {}
    for name in ("segs_percent", "bands_percent", "neutrophils_percent"):
        if fields.get(name) is not None:
            percents[name] = number(fields[name], name)[1]
            if percents[name] > 100:
                raise RefusedError(name, "a percentage is at most 100")
    segs, bands = percents.get("segs_percent"), percents.get("bands_percent", Decimal(0))
    if segs is not None and segs + bands > 100:
        raise RefusedError("segs_percent", "segs and bands together exceed 100 %")
    if fields.get("supported") is not None and not isinstance(fields["supported"], bool):
        raise RefusedError("supported", "true or false")
    wbc = None
    if fields.get("wbc") is not None:
        sign, value = number(fields["wbc"], "wbc", signs=True)
        wbc = Amount(value * factor, sign)
    if fields.get("anc") is not None:
        sign, value = number(fields["anc"], "anc", signs=True)
        anc = Amount(value * factor, sign)
    elif wbc is not None and segs is not None:
        anc = Amount(wbc.value * (segs + bands) / 100, wbc.sign)
    elif wbc is not None and "neutrophils_percent" in percents:
        anc = Amount(wbc.value * percents["neutrophils_percent"] / 100, wbc.sign)
    else:
        raise RefusedError("anc", "neither an ANC nor what derives one")
    if factor == 1 and anc.value < 20:
        raise RefusedError("anc" if fields.get("anc") is not None else "wbc", f"likely a unit error: {anc} x10^3/uL?")
    if anc.value > 100000:
        raise RefusedError("anc" if fields.get("anc") is not None else "wbc", "likely a unit error: /uL?")
    return anc, wbc


def in_force(events, as_of):
    """Counts with corrections and removals known by as_of applied; then all else; in the order of edge 4."""
    ids = {}
    for event in events:
        if event.kind == "count" and event.raw.get("id") is not None:
            if not isinstance(event.raw["id"], str):
                raise RefusedError("id", "a count's id is a string")
            if event.raw["id"] in ids:
                raise RefusedError("id", "two counts with one id")
            ids[event.raw["id"]] = event
    known = [e for e in events if e.at <= as_of]
    amendments = [e for e in known if e.kind in ("correction", "entered_in_error")]
    for event in amendments:
        of = event.raw.get("of")
        if not isinstance(of, str) or of not in ids:
            raise RefusedError("of", f"no count with the id {of!r}")
    kept = []
    for event in known:
        if event.kind in ("correction", "entered_in_error"):
            continue
        if event.kind == "count":
            mine = [a for a in amendments if event.raw.get("id") is not None and a.raw["of"] == event.raw["id"]]
            mine.sort(key=lambda a: (a.at, a.kind == "entered_in_error", a.index))
            if mine and mine[-1].kind == "entered_in_error":
                continue
            event.supported = bool((mine[-1].raw if mine else event.raw).get("supported"))
            event.anc, event.wbc = read_count(mine[-1].raw if mine else event.raw)
        elif event.kind == "fever":
            if isinstance(event.raw.get("celsius"), str):
                raise RefusedError("celsius", "a number")
            event.celsius = number(event.raw.get("celsius"), "celsius")[1]
        elif event.kind == "last_dose":
            event.stop = event.raw.get("stop", False)
            if event.stop is None:
                event.stop = False
            if not isinstance(event.stop, bool):
                raise RefusedError("stop", "true or false")
        kept.append(event)

    def order(event):
        if event.kind != "count":
            return (event.at, 0, (KINDORDER.index(event.kind), bool(getattr(event, "stop", False))), event.index)
        value, open_ = event.anc.lowness()
        white = event.wbc
        return (event.at, 1, (-value, -open_, white is not None, -white.value if white else 0), event.index)

    return sorted(kept, key=order)


# ---------------------------------------------------------------- 1.1 bands and paths

KINDORDER = ["first_dose", "rechallenge_approved", "last_dose", "restart", "hospice_agreed", "fever"]


class Rules:
    def __init__(self, protocol, population, baseline):
        self.year_2015 = protocol == "us-label-2015"
        self.ben = population == "ben"
        self.baseline = baseline if baseline is not None else Decimal(1000)
        self.normal_from = 1000 if self.ben else 1500

    def band(self, anc):
        if anc.below(500):
            return "severe"
        if self.ben:
            return "neutropenia" if anc.below(1000) else "normal"
        return "moderate" if anc.below(1000) else "mild" if anc.below(1500) else "normal"

    def rank(self, band):
        return ("normal", "mild", "neutropenia", "moderate", "severe").index(band)

    def recovered(self, worst, anc):
        if self.ben and worst == "severe":
            return not anc.below(self.baseline)
        return not anc.below(self.normal_from)

    def path_frequency(self, worst, anc):
        """Before recovery."""
        if worst in ("mild", "neutropenia"):
            return "three_times_weekly"
        return "daily" if anc.below(500 if self.ben else 1000) else "three_times_weekly"

    def rechallenge_level(self, anc):
        """1.6; section 2 for BEN in 2015 (>= 1000 or baseline)."""
        if not self.ben:
            return not anc.below(1500)
        if self.year_2015:
            return not anc.below(1000) or not anc.below(self.baseline)
        return not anc.below(1000) and not anc.below(self.baseline)


class Episode:
    def __init__(self, rules, count, tail_owed):
        self.rules, self.counts, self.worst = rules, [count], rules.band(count.anc)
        self.confirmed = None
        self.repeat_owed = True
        self.tail_owed = tail_owed  # from an earlier tail, broken by this episode
        self.counted = None  # date of recovery or of the last counted tail result
        self.tail_left = self.owed_now()
        self.ever_recovered = False
        self.restarted = False
        self.approved = False

    def has_tail(self):
        return self.worst in ("moderate", "neutropenia") or (self.tail_owed and self.worst != "severe")

    def owed_now(self):
        return 0

    def latest(self):
        return self.counts[-1]

    def recovered_now(self):
        return self.rules.recovered(self.worst, self.latest().anc)

    def take(self, count):
        """One more count while not in the tail. True when the episode is over."""
        band = self.rules.band(count.anc)
        if self.repeat_owed and count.at > self.counts[0].at:
            self.repeat_owed = False
            self.confirmed = band != "normal"
        if self.rules.rank(band) > self.rules.rank(self.worst):
            self.worst = band
        self.tail_left = self.owed_now()
        self.counts.append(count)
        if not self.recovered_now():
            return False
        self.ever_recovered = True
        if self.worst == "severe":
            return False  # stays open: stop until approved
        if not self.has_tail():
            return True
        self.counted, self.tail_left = count.day, 4
        return False

    def take_in_tail(self, count):
        """A normal count in the tail. True when the fourth."""
        self.counts.append(count)
        if (count.day - self.counted).days >= 7:
            self.counted = count.day
            self.tail_left -= 1
        return self.tail_left == 0


# ---------------------------------------------------------------- the replay


class Patient:
    """What happened, up to as_of."""

    def __init__(self, rules, events):
        self.rules = rules
        self.counts = []  # all
        self.since_start = []  # since the first dose or the restart that began the phases anew
        self.after_last_dose = []
        self.start = None  # date the phases count from
        self.off = None  # the last_dose in force
        self.episode = None
        self.hospice = False
        self.begun_anew = False
        self.fevers = []  # (fever, on treatment?) waiting for a count
        self.retitrated_on = None  # date of a restart after 48 h
        for event in events:
            getattr(self, "on_" + event.kind)(event)

    def on_first_dose(self, event):
        if self.start is None:
            self.start, self.episode = event.day, None
            self.since_start, self.fevers = [], []

    def on_last_dose(self, event):
        if self.start is not None:
            self.off, self.after_last_dose = event, []

    def on_restart(self, event):
        if self.start is None:
            return
        anew = False
        if self.off is not None:
            anew = (event.day - self.off.day).days >= 30
            if off_for_two_days(self.off, event.at, event.day, event.time_known):
                self.retitrated_on = event.day
        self.off, self.after_last_dose = None, []
        severe = self.episode is not None and self.episode.worst == "severe"
        if severe and self.episode.approved:
            anew = True
        if self.episode is not None:
            self.episode.restarted = True
            if anew:
                self.episode = None
        if anew:
            self.begun_anew = True
            self.start, self.since_start = event.day, []

    def on_rechallenge_approved(self, event):
        if self.start is not None and self.episode is not None and self.episode.worst == "severe":
            self.episode.approved = True

    def on_hospice_agreed(self, event):
        self.hospice = True

    def on_fever(self, event):
        if self.start is None or event.celsius < Decimal("38.5"):
            return
        if self.off is None:
            self.fevers.append((event, True))
        elif (event.day - self.off.day).days <= 14:
            self.fevers.append((event, False))

    def on_count(self, event):
        self.counts.append(event)
        self.since_start.append(event)
        if self.off is not None:
            self.after_last_dose.append(event)
        self.fevers = []
        normal = self.rules.band(event.anc) == "normal"
        if self.episode is None:
            if not normal:
                self.episode = Episode(self.rules, event, tail_owed=False)
        elif self.episode.counted is not None:
            if normal:
                if self.episode.take_in_tail(event):
                    self.episode = None
            else:
                self.episode = Episode(self.rules, event, tail_owed=True)
        else:
            if self.episode.take(event):
                self.episode = None


def off_for_two_days(last_dose, at, day, time_known):
    if last_dose.time_known and time_known:
        return at - last_dose.at >= timedelta(hours=48)
    return (day - last_dose.day).days >= 2


# ---------------------------------------------------------------- 1.2 starting


def may_start(rules, baselines, today):
    if not baselines or too_old(baselines, today) or baselines[-1].anc.below(rules.normal_from):
        return False
    if rules.ben:
        return len({c.day for c in baselines}) >= 2 and not baselines[-2].anc.below(1000)
    return True


def too_old(baselines, today):
    return bool(baselines) and (today - baselines[-1].day).days > 7


def starting_actions(rules, baselines, today):
    actions = set()
    if too_old(baselines, today):
        actions.add("baseline_too_old")
    if rules.ben and len({c.day for c in baselines}) < 2:
        actions.add("second_baseline_needed")
    if not rules.ben and baselines and baselines[-1].anc.below(1500):
        actions.add("consider_ben_workup")
    return actions


# ---------------------------------------------------------------- 1.3 phases and windows


def phase_on(start, day):
    if day < plus_months(start, 6):
        return "weekly"
    if day < plus_months(start, 12):
        return "every_2_weeks"
    return "monthly"


def due_and_overdue(frequency, draw):
    if frequency == "every_6_months":
        return plus_months(draw, 6), plus_months(draw, 6)
    if frequency == "none":
        return None, None
    due, window = {
        "daily": (1, 1),
        "three_times_weekly": (2, 3),
        "weekly": (7, 7),
        "every_2_weeks": (14, 15),
        "monthly": (28, 31),
    }[frequency]
    return draw + timedelta(days=due), draw + timedelta(days=window)


# ---------------------------------------------------------------- the questions


def off_days(patient, today):
    return None if patient.off is None else (today - patient.off.day).days


def long_off(patient, today):
    return patient.off is not None and off_days(patient, today) >= 30


def tests_ended(patient, today):
    """Edge 8."""
    if patient.off is None or not (patient.off.stop or long_off(patient, today)):
        return False
    return any(not c.anc.below(patient.rules.normal_from) for c in patient.after_last_dose)


def phase_of(patient):
    if patient.start is None:
        return None
    if patient.hospice and patient.episode is None:
        return "every_6_months"
    return phase_on(patient.start, patient.since_start[-1].day if patient.since_start else patient.start)


def frequency_of(patient, today):
    episode = patient.episode
    if patient.start is None:
        return "none"
    if episode is not None and episode.counted is not None and tests_ended(patient, today):
        return "none"
    if episode is not None:
        if episode.counted is not None:
            return "weekly"
        if episode.worst == "severe" and episode.recovered_now():
            return "none"
        return patient.rules.path_frequency(episode.worst, episode.latest().anc)
    if tests_ended(patient, today):
        return "none"
    return phase_of(patient)


def due_of(patient, today):
    episode = patient.episode
    if patient.fevers:
        day = patient.fevers[0][0].day
        return day, day
    if episode is not None and episode.repeat_owed:
        day = episode.counts[0].day + timedelta(days=1)
        return day, day
    if patient.start is None:
        return None, None
    frequency = frequency_of(patient, today)
    if episode is not None:
        return due_and_overdue(frequency, episode.latest().day)
    return due_and_overdue(frequency, patient.since_start[-1].day if patient.since_start else patient.start)


def treatment_of(patient, today):
    rules, episode = patient.rules, patient.episode
    if patient.start is None:
        return "may_start" if may_start(rules, patient.counts, today) else "do_not_start"
    severe = episode is not None and episode.worst == "severe"
    fever_on_treatment = any(on for _, on in patient.fevers)
    if severe and not episode.approved:
        return "interrupt" if rules.year_2015 else "stop"
    if long_off(patient, today) and not severe:
        return "may_start" if may_start(rules, patient.after_last_dose, today) else "do_not_start"
    if fever_on_treatment:
        return "interrupt"
    if severe:
        return "may_start" if rules.rechallenge_level(episode.latest().anc) else "do_not_start"
    if episode is not None and episode.worst == "moderate":
        if episode.latest().anc.below(1000):
            return "interrupt"
        if patient.off is None and not episode.restarted and episode.counted is None:
            return "may_resume"
    return "continue" if patient.off is None else "may_resume"


def actions_of(patient, as_of, today):
    rules, episode, actions = patient.rules, patient.episode, set()
    severe = episode is not None and episode.worst == "severe"
    if episode is not None:
        if episode.repeat_owed:
            actions.add("repeat_within_24h")
        if episode.worst in ("moderate", "neutropenia", "severe") and not episode.recovered_now():
            actions.add("haematology_consult")
        if severe and patient.start is not None and episode.ever_recovered and not episode.approved:
            actions.add("review_rechallenge")
    for _, on_treatment in patient.fevers:
        actions.add("anc_now")
        if on_treatment:
            actions.add("look_for_infection")
    if patient.start is None:
        actions |= starting_actions(rules, patient.counts, today)
    elif long_off(patient, today) and not severe:
        actions |= starting_actions(rules, patient.after_last_dose, today)
    if patient.off is not None and off_for_two_days(patient.off, as_of, today, True):
        actions.add("retitrate_from_12_5_mg")
    if patient.retitrated_on == today:
        actions.add("retitrate_from_12_5_mg")
    return sorted(actions)


def judged(history):
    protocol = history.get("protocol")
    if protocol not in PROTOCOLS:
        raise RefusedError("protocol", f"not one of {', '.join(PROTOCOLS)}")
    zone_name = history.get("time_zone", "UTC")
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RefusedError("time_zone", f"unknown time zone {zone_name!r}")
    as_of, today, _ = moment(history.get("as_of"), "as_of", zone, False)
    population = history.get("population", "general")
    if population not in ("general", "ben"):
        raise RefusedError("population", "general or ben")
    baseline = history.get("baseline_anc")
    if baseline is not None:
        if isinstance(baseline, str):
            raise RefusedError("baseline_anc", "a number per uL")
        baseline = number(baseline, "baseline_anc")[1]
        if baseline < 1000:
            raise RefusedError("baseline_anc", "below 1000: such a patient cannot start under the label")
    events = history.get("events")
    if not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
        raise RefusedError("events", "a list of objects")
    events = in_force([Event(raw, zone, i) for i, raw in enumerate(events)], as_of)
    rules = Rules(protocol, population, baseline)
    patient = Patient(rules, events)
    latest, episode = (patient.counts[-1] if patient.counts else None), patient.episode
    due, overdue_after = due_of(patient, today)
    return {
        "id": history["id"],
        "protocol": protocol,
        "as_of": history["as_of"],
        "anc": str(latest.anc) if latest else None,
        "wbc": str(latest.wbc) if latest and latest.wbc else None,
        "band": rules.band(latest.anc) if latest else None,
        "treatment": treatment_of(patient, today),
        "frequency": frequency_of(patient, today),
        "due_on": due.isoformat() if due else None,
        "overdue_after": overdue_after.isoformat() if overdue_after else None,
        "overdue": overdue_after is not None and today > overdue_after,
        "phase": phase_of(patient),
        "episode": None
        if episode is None
        else {
            "worst_band": episode.worst,
            "opened_at": episode.counts[0].at.isoformat(),
            "confirmed": episode.confirmed,
            "tail_left": episode.tail_left,
        },
        "actions": actions_of(patient, as_of, today),
        "deadline": (episode.counts[0].at + timedelta(hours=24)).isoformat()
        if episode and episode.repeat_owed
        else None,
    }


def judge(history):
    if not isinstance(history, dict):
        return {"id": None, "error": {"field": None, "message": "not an object"}}
    try:
        if not isinstance(history.get("id"), str):
            raise RefusedError("id", "a string")
        return judged(history)
    except RefusedError as refused:
        return {"id": history.get("id"), "error": {"field": refused.field, "message": refused.message}}
