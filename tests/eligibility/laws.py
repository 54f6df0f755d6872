"""What must be true of the committed rows, read one transaction after the other without any of the product's code.

What clozapine's rules make of the facts comes from the second reading (tests/rules/second_reading). So whatever the
product wrote, and whichever state its code believed in, each commit is held against what had been committed by then.
"""

from datetime import datetime, timedelta

from tests.rules.second_reading.reading import judge

HOLDS = ("interrupt", "stop")
NO_SUPPLY = (*HOLDS, "do_not_start")
FACTS = ("result", "treatmentevent")


class BrokenLawError(AssertionError):
    """Which law a commit broke, and the commits up to it."""


def at(text):
    return text and datetime.fromisoformat(text)


class Reader:
    """One treatment's committed history, followed from its first transaction on."""

    def __init__(self, *, protocol, needs_enrolment=False, bridge_times=1, bridge_days=4, margin_days=3):
        self.protocol, self.needs_enrolment, self.margin_days = protocol, needs_enrolment, margin_days
        self.bridge_times, self.bridge_days = bridge_times, bridge_days
        self.results, self.events, self.programme = {}, {}, {}
        self.overrides, self.leaves, self.dispenses, self.alerts = {}, {}, {}, {}
        self.treatment, self.seen, self.facts = None, 0, 0
        self.confirmed_at_fact, self.read, self.bridged = {}, {}, set()

    def follow(self, commits):
        for commit in commits:
            self.seen += 1
            self._take(commit)

    def law(self, holds, name, **said):
        if not holds:
            raise BrokenLawError(f"commit {self.seen}: {name}; {said}")

    # ------------------------------------------------ one transaction

    def _take(self, commit):
        version, told = self.treatment and self.treatment["version"], {kind for kind, _ in commit}
        for kind, row in commit:
            if kind == "authorisation" and row["id"] not in self.leaves:
                self._given(row)
            if kind == "dispense" and row["id"] not in self.dispenses:
                self._handed_over(row, {r["id"]: r for k, r in commit if k == "authorisation"})
            if kind == "override":
                self._keys(row)
        for kind, row in commit:
            self._keep(kind, row)
        self.facts += bool(told & set(FACTS))
        if self.treatment is None:
            return
        if version is not None:
            moved = self.treatment["version"] - version
            self.law(moved in (0, 1), "versions follow each other", before=version, after=self.treatment["version"])
            self.law(moved or not told & set(FACTS), "a fact is judged in its own transaction", told=told)
        self._standing(told)

    def _keep(self, kind, row):
        if kind == "result":
            self.results.setdefault(row["accession"], {})[row["version"]] = row
        elif kind == "treatment":
            self.treatment = row
        else:
            kept = {
                "treatmentevent": self.events, "override": self.overrides, "authorisation": self.leaves,
                "dispense": self.dispenses, "alert": self.alerts, "programmerecord": self.programme,
            }[kind]  # fmt: skip
            kept[row["id"]] = row

    def _standing(self, told):
        """What has to be true after every commit."""
        if told & set(FACTS):
            said = self.says(at(self.treatment["assessed_at"]))
            kept = (self.treatment["advice"], self.treatment["band"] or None)
            self.law(kept == (said["treatment"], said["band"]), "the stored advice is that of all committed facts",
                     stored=kept, read=(said["treatment"], said["band"]))  # fmt: skip
            if said["treatment"] in NO_SUPPLY:
                open_ones = [leave["id"] for leave in self.leaves.values() if self._open(leave)]
                self.law(not open_ones, "no leave outlives a fact that forbids it", open=open_ones)
            if said["treatment"] in HOLDS:
                self._told_of_tablets()
        covers = [row["covers_until"] for row in self.dispenses.values() if not row["voided_at"]]
        self.law(self.treatment["tablets_until"] == max(covers, default=None), "tablets_until is that of the dispenses",
                 stored=self.treatment["tablets_until"], covers=covers)  # fmt: skip

    def _told_of_tablets(self):
        today = at(self.treatment["assessed_at"]).date().isoformat()
        at_home = [row for row in self.dispenses.values() if not row["voided_at"] and row["covers_until"] >= today]
        told = [row for row in self.alerts.values() if row["cause"] == "contradicted" and not row["resolved_at"]]
        self.law(told or not at_home, "tablets at home against a hold are told of", at_home=[r["id"] for r in at_home])

    # ------------------------------------------------ leave, tablets, two keys

    def _given(self, leave):
        when = at(leave["given_at"])
        self.law(leave["basis_version"] == self.treatment["version"], "a leave rests on the version that stands",
                 rests_on=leave["basis_version"], stands=self.treatment["version"])  # fmt: skip
        said = self.says(when)
        if leave["override_id"] is None:
            self.law(not self.against(said), "no leave after a fact that contradicts it", against=self.against(said))
            latest = said["overdue_after"] and datetime.fromisoformat(said["overdue_after"]).date()
            reach = (latest + timedelta(days=self.margin_days)).isoformat() if latest else leave["until"]
            self.law(
                leave["until"] <= reach, "no leave reaches past the next test and its margin", until=leave["until"]
            )
        else:
            self._by_override(self.overrides[leave["override_id"]], leave, said, when)

    def _by_override(self, override, leave, said, when):
        self.law(override["confirmed_at"], "an override has its second key")
        self.law(not override["used_at"], "an override is used once")
        self.law(at(override["expires_at"]) >= when, "an override ends")
        self.law(leave["days"] <= override["days"], "no more days than two people answered for")
        against = self.against(said)
        if "decision" in against:
            fresh = self.confirmed_at_fact[override["id"]] == self.facts
            clinical = not override["bridge"] and not override.get("administrative")
            self.law(clinical and fresh, "an override lifts a decision that its second person saw, and no other",
                     against=against, clinical=clinical, fresh=fresh)  # fmt: skip
        if "wait" in against:
            self.law(not override.get("administrative"), "an administrative override lifts nothing clinical")

    def _handed_over(self, dispense, touched):
        leave, when = self.leaves[dispense["authorisation_id"]], at(dispense["handed_over_at"])
        self.law(self._open(leave), "tablets leave on a leave that is open", leave=leave)
        self.law(at(leave["expires_at"]) >= when, "a leave ends", leave=leave)
        self.law(dispense["days"] <= leave["days"], "no more tablets than leave")
        rests_on = touched.get(leave["id"], leave)["basis_version"]
        self.law(rests_on == self.treatment["version"], "tablets rest on the version that stands", rests_on=rests_on)
        if leave["override_id"] is None:
            against = self.against(self.says(when))
            self.law(not against, "no tablets after a fact that contradicts them", against=against)

    def _open(self, leave):
        used = {row["authorisation_id"] for row in self.dispenses.values()}
        return not leave["revoked_at"] and leave["id"] not in used

    def _keys(self, row):
        known = self.overrides.get(row["id"])
        if row["confirmed_at"] and not (known and known["confirmed_at"]):
            self.law(row["confirmed_by_id"] != row["asked_by_id"], "nobody has both keys")
            self.law(known and not known["declined_at"], "an answered request is answered")
            self.law(at(row["expires_at"]) >= at(row["confirmed_at"]), "nothing is confirmed after its end")
            self.confirmed_at_fact[row["id"]] = self.facts
            if row["bridge"]:
                self._bridges(row)

    def _bridges(self, row):
        since = at(row["confirmed_at"]) - timedelta(days=28)
        before = [one for one in self.overrides.values() if one["bridge"] and at(one["confirmed_at"] or "") and
                  at(one["confirmed_at"]) > since]  # fmt: skip
        self.law(len(before) < self.bridge_times, "bridges are counted", before=len(before))
        self.law(row["days"] <= self.bridge_days, "a bridge is short", days=row["days"])
        draw = max((row["drawn_at"] for row in self._latest() if row["status"] != "entered_in_error"), default=None)
        self.law(draw not in self.bridged, "one wait for blood has one bridge", draw=draw)
        self.bridged.add(draw)

    # ------------------------------------------------ the second reading

    def says(self, when):
        """What the facts committed so far mean; nothing that is known has yet to happen."""
        known = [at(row["drawn_at"]) for row in self._latest()] + [at(row["at"]) for row in self._happened()]
        as_of = max([when, *known])
        key = self.facts, as_of
        if key not in self.read:
            told = [self._count(row) for row in self._latest() if row["status"] != "entered_in_error"]
            told += [self._event(row) for row in self._happened()]
            self.read = {key: judge({
                "id": "one", "protocol": self.protocol, "time_zone": "UTC", "as_of": as_of.isoformat(), "events": told,
            })}  # fmt: skip
            assert "error" not in self.read[key], self.read[key]
        return self.read[key]

    def against(self, said):
        """What stands against a supply, in the order of how much it takes to lift it."""
        found = []
        if self.needs_enrolment and not self._enrolled():
            found.append("administrative")
        if said["overdue"] and said["treatment"] not in ("stop", "do_not_start"):
            found.append("wait")
        if said["treatment"] in NO_SUPPLY or "retitrate_from_12_5_mg" in said["actions"]:
            found.append("decision")
        return found

    def _enrolled(self):
        rows = [row for row in self.programme.values() if not row["voided_at"]]
        latest = max(rows, key=lambda row: (row["on"], row["id"]), default=None)
        return latest is not None and latest["kind"] == "enrolled"

    def _latest(self):
        return [versions[max(versions)] for versions in self.results.values()]

    def _happened(self):
        return [row for row in self.events.values() if not row["voided_at"]]

    def _count(self, row):
        return {
            "kind": "count",
            "id": row["accession"],
            "at": row["drawn_at"],
            "anc": row["received"]["anc"],
            "unit": "/uL",
        }

    def _event(self, row):
        told = {"kind": row["kind"], "at": row["at"]}
        if row["kind"] == "fever":
            told["celsius"] = row["celsius"]
        if row["kind"] == "last_dose":
            told["stop"] = row["stop"]
        return told
