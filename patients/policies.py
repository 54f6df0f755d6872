"""What each policy of a clinic means, and how far it may be turned."""

from typing import NamedTuple

from patients.models import DEFAULT_POLICIES


class Policy(NamedTuple):
    """A number that a clinic may choose, between `least` and `most`."""

    name: str
    label: str
    meaning: str
    least: int
    most: int

    @property
    def unit(self) -> str:
        """minutes or days; it ends the policy's name."""
        return self.name.rpartition("_")[2]

    @property
    def default(self) -> int:
        """What holds where the clinic has chosen nothing."""
        return DEFAULT_POLICIES[self.name]

    def spoken(self, value: int) -> str:
        """A value in words: 90 minutes, 24 hours, 3 days."""
        if self.unit == "results":
            return "looked at by a person" if value else "not looked at one by one"
        if self.unit == "enrolments":
            return "asked for" if value else "not asked for"
        if self.unit == "minutes" and value >= 120 and value % 60 == 0:
            return f"{value // 60} hours"
        return f"{value} {self.unit if value != 1 else self.unit.removesuffix('s')}"

    def refusal(self, value: int) -> str | None:
        """Why this value is out of bounds, in words; None when it is not."""
        if self.least <= value <= self.most:
            return None
        return f"{self.label}: {value} {self.unit} is out of bounds; choose {self.least} to {self.most}"


DAY = 24 * 60
CHAIN = (
    ("escalate", "deputy told", "After so many minutes without an answer the deputy is told; without one, on-call."),
    ("on_call", "on-call told", "After so many minutes without an answer whoever is on call is told."),
    ("alarm", "clinic alarm", "After so many minutes without an answer every page of the clinic's staff says so."),
    ("return", "comes back", "So many minutes after it was acknowledged it comes back unless it is resolved."),
)
"""The steps of an alert that nobody answers, and the return of one that was acknowledged and not resolved."""


def _chain(family: str, label: str, *bounds: tuple[int, int]) -> tuple[Policy, ...]:
    return tuple(
        Policy(f"{name}_{family}_minutes", f"{label}: {words}", meaning, *within)
        for (name, words, meaning), within in zip(CHAIN, bounds, strict=True)
    )


POLICIES = (
    *_chain("severe", "Severe alert", (5, 60), (10, 120), (15, 240), (30, 720)),
    *_chain("moderate", "Moderate alert", (15, 240), (30, 480), (60, DAY), (60, DAY)),
    *_chain("overdue", "Test overdue", (60, 3 * DAY), (120, 6 * DAY), (240, 10 * DAY), (720, 7 * DAY)),
    *_chain("other", "Any other alert", (60, 3 * DAY), (120, 6 * DAY), (240, 10 * DAY), (720, 7 * DAY)),
    Policy("answer_quarantine_minutes", "Quarantined row unanswered",
           "After so many minutes a row whose patient is not sure is shown as waiting too long.", 60, 7 * 24 * 60),
    Policy("transfer_answer_days", "Transfer unanswered",
           "After so many days without an answer from the other clinic an alert is raised here.", 1, 14),
    Policy("supply_margin_days", "Supply past the next test",
           "A supply may reach so many days past the last day on which the next test is in time.", 1, 7),
    Policy("supply_monthly_days", "Supply with monthly tests",
           "So many days of tablets at most while tests are monthly (a monthly test falls due after 28).", 28, 30),
    Policy("supply_discharge_days", "Supply at discharge",
           "So many days of tablets at most at discharge from hospital, where the protocol would allow more.", 1, 84),
    Policy("authorisation_hours", "An authorisation holds for",
           "After so many hours it has to be asked for again.", 1, 24),
    Policy("bridge_days", "Bridge supply", "So many days of tablets at most while blood is on its way.", 1, 7),
    Policy("bridge_times", "Bridge supplies", "So many times at most in the rolling period below.", 1, 4),
    Policy("bridge_period_days", "Rolling period of bridge supplies",
           "Bridge supplies are counted over so many days.", 7, 90),
    Policy("tablets_warning_days", "Tablets run out",
           "So many days before the last tablet an alert is raised when no blood test is booked.", 1, 14),
    Policy("registry_enrolments", "Enrolment in the clinic's own registry",
           "0: nothing administrative blocks a supply. 1: a patient has to be enrolled in the clinic's registry first.",
           0, 1),
    Policy("review_results", "Results from a laboratory",
           "1: each one waits on Today until a person has looked at it. 0: only alerts wait for a person.", 0, 1),
)  # fmt: skip
