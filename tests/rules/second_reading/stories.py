"""Random histories that love edges; one seed, one story."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = [
    "UTC",
    "America/New_York",
    "America/New_York",
    "America/Los_Angeles",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "America/Havana",
    "Asia/Kathmandu",
]
SINGLES = ["/uL", "/mm3", "cells/uL", "/\u00b5L", "/\u03bcL"]
THOUSANDS = ["10*3/uL", "K/uL", "x10^3/uL", "10*9/L", "x10^9/L", "G/L", "K/\u00b5L"]
NEAR = {
    "normal": ["1500", "1500.0", "1501", "1500.5", "1620", "1999", "2400", "5200"],
    "mild": ["1499", "1499.6", "1499.5", "1400", "1250", "1001", "1000.5", "1000"],
    "moderate": ["999", "999.5", "999.99", "870", "640", "501", "500.5", "500"],
    "severe": ["499", "499.5", "499.99", "320", "120", "21", "20"],
    "ben": ["1000", "1000.5", "1050", "1199", "1199.5", "1200", "1201", "1299", "1300", "1350"],
}
# Clinical drift: where the next count tends to go.
NEXT = {
    "normal": ["normal"] * 8 + ["mild", "moderate", "severe"],
    "mild": ["normal"] * 4 + ["mild", "mild", "moderate"],
    "moderate": ["moderate", "mild", "mild", "normal", "normal", "severe"],
    "severe": ["severe", "moderate", "mild", "normal", "normal", "normal"],
    "ben": ["ben", "ben", "normal", "mild", "moderate", "severe"],
}
LEAPS = [
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2024, 2, 29),
    date(2025, 8, 31),
]


class Writer:
    def __init__(self, rng):
        self.rng, self.zone_name = rng, rng.choice(ZONES)
        self.zone, self.events, self.times, self.ids = ZoneInfo(self.zone_name), [], [], 0

    def stamp(self, when):
        """The same instant, spelled with some offset."""
        self.times.append(when)
        zone = self.rng.choice(
            [
                self.zone,
                self.zone,
                UTC,
                timezone(timedelta(hours=-7)),
                timezone(timedelta(hours=9, minutes=30)),
            ]
        )
        text = when.astimezone(zone).isoformat()
        return text.replace("+00:00", "Z") if self.rng.random() < 0.2 else text

    def moment(self, day):
        hour = self.rng.choice([(0, 0), (23, 59), (0, 1), (9, 0), (9, 0), (8, 30), (12, 0), (17, 45), (1, 30), (2, 30)])
        return datetime.combine(day, time(*hour), self.zone).astimezone(UTC)

    def add(self, kind, when, plain=False, **more):
        if plain:
            day = when.astimezone(self.zone).date()
            at, when = day.isoformat(), datetime.combine(day, time(), self.zone).astimezone(UTC)
            self.times.append(when)
        else:
            at = self.stamp(when)
        self.events.append({"kind": kind, "at": at, **more})
        return when

    def blood(self, level):
        """The fields of a count near a threshold."""
        rng = self.rng
        value = rng.choice(NEAR[level]) if rng.random() < 0.8 else str(rng.randint(20, 3000))
        roll = rng.random()
        if roll < 0.5:
            fields = {"anc": value if rng.random() < 0.5 else float(value), "unit": rng.choice(SINGLES)}
            if isinstance(fields["anc"], float) and fields["anc"].is_integer():
                fields["anc"] = int(fields["anc"])
        elif roll < 0.72:
            whole, _, part = value.partition(".")
            fields = {"anc": f"{whole.zfill(4)[:-3]}.{whole.zfill(4)[-3:]}{part}", "unit": rng.choice(THOUSANDS)}
        elif roll < 0.80:
            sign = "<" if level in ("severe", "moderate", "mild") else ">"
            bound = {"severe": "0.5", "moderate": "1.0", "mild": "1.50"}.get(level, rng.choice(["1.5", "1.0", "10"]))
            fields = {"anc": sign + bound, "unit": rng.choice(THOUSANDS)}
        elif roll < 0.9:
            fields = {
                "wbc": rng.choice(["3.0", "4.2", "2.85", "1.9", "6"]),
                "unit": rng.choice(THOUSANDS),
                "segs_percent": rng.choice([50, 48, 33, "35.7", 24, 12, 60]),
            }
            if rng.random() < 0.6:
                fields["bands_percent"] = rng.choice([0, 2, "1.5"])
        else:
            fields = {
                "wbc": rng.choice([3000, 4200, "2857", "1999"]),
                "unit": rng.choice(SINGLES),
                "neutrophils_percent": rng.choice([50, 35, "52.5", 33.3, 17]),
            }
            if rng.random() < 0.3:
                fields["bands_percent"] = 5
        if "anc" in fields and rng.random() < 0.15:
            fields["wbc"] = (
                rng.choice(["4.2", "6.10", ">20"]) if fields["unit"] in THOUSANDS else rng.choice([4200, "6100.50"])
            )
        if rng.random() < 0.07:
            fields["supported"] = rng.random() < 0.7
        return fields

    def count(self, when, level):
        rng, more = self.rng, {}
        if rng.random() < 0.35:
            self.ids += 1
            more["id"] = f"c{self.ids}"
        when = self.add("count", when, rng.random() < 0.06, **more, **self.blood(level))
        if rng.random() < 0.05:  # the same tube reported twice
            self.add("count", when, **self.blood(rng.choice(list(NEAR))))
        if more and rng.random() < 0.22:
            late = when + timedelta(hours=rng.choice([-5, 0, 3, 26, 24 * 9, 24 * 40]))
            self.add("correction", late, of=more["id"], **self.blood(rng.choice(list(NEAR))))
        if more and rng.random() < 0.10:
            self.add("entered_in_error", when + timedelta(hours=rng.choice([0, 2, 30, 24 * 20])), of=more["id"])
        return when


def random_history(rng):
    w = Writer(rng)
    ben = rng.random() < 0.35
    history = {"id": f"h{rng.randrange(10**9)}", "protocol": rng.choice(["us-label-2025"] * 3 + ["us-label-2015"])}
    if w.zone_name != "UTC" or rng.random() < 0.5:
        history["time_zone"] = w.zone_name
    if ben or rng.random() < 0.2:
        history["population"] = "ben" if ben else "general"
    if ben and rng.random() < 0.55:
        history["baseline_anc"] = rng.choice([1000, 1200, 1300, 1199.5, None])
    day = rng.choice(LEAPS) if rng.random() < 0.3 else date(2024, 1, 1) + timedelta(days=rng.randrange(900))
    start = w.moment(day)
    # baselines
    level = "ben" if ben else "normal"
    for back in rng.choice([[3], [8, 1], [7], [2, 2], [0], [], [10, 8], [5, 0]]):
        w.count(
            start - timedelta(days=back, minutes=rng.choice([0, 5, 60])),
            rng.choice([level, level, level, "mild", "moderate", "severe"]),
        )
    if rng.random() < 0.90:
        w.add("first_dose", start, rng.random() < 0.4)
        treated(rng, w, start, ben)
    elif rng.random() < 0.3:
        w.count(start + timedelta(hours=rng.choice([20, 24, 25])), level)
    rng.shuffle(w.events)
    history["as_of"] = w.stamp(ask_at(rng, w, start))
    history["events"] = w.events
    if rng.random() < 0.05:
        spoil(rng, history)
    return history


def ask_at(rng, w, start):
    pick = rng.choice(w.times) if w.times and rng.random() < 0.8 else (max(w.times) if w.times else start)
    nudge = rng.choice(
        [
            0,
            0,
            0,
            -1,
            1,
            3600,
            7200,
            86399,
            86400,
            86401,
            2 * 86400 - 1,
            2 * 86400,
            2 * 86400 + 1,
            3 * 86400,
            4 * 86400,
            7 * 86400,
            8 * 86400,
            14 * 86400,
            15 * 86400,
            16 * 86400,
            29 * 86400,
            30 * 86400,
            31 * 86400,
            32 * 86400,
        ]
    )
    moment = pick + timedelta(seconds=nudge)
    if rng.random() < 0.1:  # a local midnight, or the second before it
        local = datetime.combine(moment.astimezone(w.zone).date(), time(), w.zone).astimezone(UTC)
        moment = local - timedelta(seconds=rng.choice([0, 1]))
    return moment


def treated(rng, w, start, ben):
    when, level = start, "ben" if ben else "normal"
    if rng.random() < 0.5:  # jump near a phase boundary
        when = start + timedelta(days=rng.choice([120, 178, 180, 181, 183, 184, 362, 364, 365, 366, 400]))
    off = severe = False
    for _ in range(rng.randint(0, 12)):
        roll = rng.random()
        if roll < 0.70:
            gap = {"normal": [7, 7, 7, 7, 6, 8, 14, 28], "ben": [7, 7, 7, 14]}.get(level, [1, 1, 2, 3, 7])
            hours = rng.choice(gap) * 24 + rng.choice([0, 0, 0, -1, 1])
            if level not in ("normal", "ben") and rng.random() < 0.4:
                hours = rng.choice([0, 1, 12, 23, 24, 25, 48])
            when += timedelta(hours=hours)
            level = rng.choice(NEXT[level])
            severe |= level == "severe"
            w.count(when, level)
        elif roll < 0.80:
            when += timedelta(hours=rng.choice([0, 5, 30]))
            w.add("fever", when, rng.random() < 0.3, celsius=rng.choice([38.4, 38.5, 38.5, 38.6, 39.2, 38, 38.49]))
        elif roll < 0.93:
            if off and rng.random() < 0.8:
                w.add("restart", when + timedelta(hours=rng.choice([0, 10])), rng.random() < 0.4)
                off = False
            else:
                when += timedelta(hours=rng.choice([0, 4, 24]))
                more = {"stop": rng.random() < 0.6} if rng.random() < 0.4 else {}
                last = w.add("last_dose", when, rng.random() < 0.4, **more)
                off, pause = True, rng.choice([0, 1, 2, 3, 14, 15, 28, 29, 30, 31, 45])
                if rng.random() < 0.5:
                    w.count(
                        last + timedelta(days=rng.randint(0, pause), hours=rng.choice([0, 1])),
                        rng.choice([level, "normal", "mild", "ben"]),
                    )
                    if rng.random() < 0.5 or ben:
                        w.count(
                            last + timedelta(days=max(0, pause - rng.choice([0, 1, 7, 8]))),
                            rng.choice(["normal", "ben", "mild"]),
                        )
                when = last + timedelta(days=pause, hours=rng.choice([0, 0, -1, 1]))
                if rng.random() < 0.6:
                    w.add("restart", max(when, last), rng.random() < 0.4)
                    off = False
        elif roll < 0.96:
            w.add("hospice_agreed", when, rng.random() < 0.5)
        else:
            when += timedelta(hours=rng.choice([0, 24]))
            w.add("restart", when, rng.random() < 0.4)
        if rng.random() < 0.12:  # a run of normals: tails, and the way back to the phase
            for _ in range(rng.randint(2, 6)):
                when += timedelta(days=rng.choice([7, 7, 7, 7, 6, 8, 3, 20]), hours=rng.choice([0, 0, -1]))
                w.count(when, "ben" if ben else "normal")
            level = "normal"
        if severe and rng.random() < 0.35:
            when += timedelta(hours=rng.choice([1, 24, 72]))
            w.add("rechallenge_approved", when, rng.random() < 0.3)
            if rng.random() < 0.6:
                when += timedelta(hours=rng.choice([0, 24, 24 * 35]))
                w.add("restart", when, rng.random() < 0.4)
                off = severe = False


def spoil(rng, history):
    """One thing wrong (or one thing that only looks wrong)."""
    counts = [e for e in history["events"] if e["kind"] == "count"]
    events, count = history["events"], rng.choice(counts) if counts else {"at": "2026-01-01"}
    rng.choice(
        [
            lambda: history.update(protocol="us-label-2020"),
            lambda: history.update(time_zone="Mars/Olympus"),
            lambda: history.update(as_of="2026-09-14T12:00:00"),
            lambda: history.update(population="other"),
            lambda: history.update(baseline_anc=999),
            lambda: history.update(baseline_anc=1000),
            lambda: events.append({"kind": "dose_change", "at": "2024-01-01"}),
            lambda: events.append({"kind": "fever", "at": "2024-05-05T10:00:00", "celsius": 39}),
            lambda: events.append(
                {"kind": "correction", "at": "2023-01-01", "of": "nobody", "anc": 2000, "unit": "/uL"}
            ),
            lambda: events.append({"kind": "entered_in_error", "at": "2023-01-01", "of": "nobody"}),
            lambda: events.append({"kind": "fever", "at": "2023-05-05T10:00:00Z"}),
            lambda: count.update(unit="mg/dL"),
            lambda: count.pop("unit", None),
            lambda: (count.pop("wbc", None), count.update(anc="19.9", unit="/uL")),
            lambda: count.update(anc="100.1", unit="G/L"),
            lambda: count.update(anc=100001, unit="/uL"),
            lambda: count.update(anc="100", unit="G/L"),
            lambda: count.update(anc="0.01", unit="G/L"),
            lambda: count.update(anc=-1),
            lambda: count.update(anc="many"),
            lambda: count.update(anc=True),
            lambda: (
                count.pop("anc", None),
                count.pop("segs_percent", None),
                count.pop("neutrophils_percent", None),
                count.update(wbc="4.2", unit="K/uL"),
            ),
            lambda: (count.pop("anc", None), count.update(wbc="4.2", unit="K/uL", segs_percent=101)),
            lambda: (count.pop("anc", None), count.update(wbc="4.2", unit="/uL", segs_percent=50)),
            lambda: (count.pop("anc", None), count.update(wbc=400, unit="/uL", neutrophils_percent=2)),
            lambda: (count.pop("anc", None), count.update(wbc=4200, unit="K/uL", neutrophils_percent=50)),
            lambda: count.update(anc="<10", unit="/uL"),
            lambda: count.update(anc="<0.1", unit="/uL"),
            lambda: (count.pop("anc", None), count.update(wbc="4.2", unit="K/uL", neutrophils_percent=-1)),
        ]
    )()
