"""What must be known of a patient before anything else is read on the page."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from monitoring.actions.replaying import severe_before
from monitoring.models.limits import agreement_at
from monitoring.models.result import standing
from monitoring.rules.ben import worth_assessing
from monitoring.rules.units import plain
from monitoring.views.record import Record
from monitoring.views.words import AdviceCard

ENDS_SOON = 21
"""Days before the last one on which agreed limits are warned of: time to agree them again."""


@dataclass(frozen=True, slots=True)
class Banner:
    """One sentence with its weight. `first` stands above the advice, the others beside it."""

    tone: str
    head: str
    text: str
    link: str = ""
    link_text: str = ""
    first: bool = False


def banners(record: Record, card: AdviceCard) -> list[Banner]:
    """The gravest first."""
    tellers = (_register, _unknown, _merged, _moving, _proposed, _ben)
    return [*_severe(record, card), *_limited(record, card), *(one for tell in tellers for one in tell(record))]


def sentence(words: str) -> str:
    """A person's words with one full stop at their end."""
    return words.rstrip(" .") + "."


def _severe(record: Record, card: AdviceCard) -> Iterator[Banner]:
    found = severe_before(record.treatment, standing(record.results), record.take_over, as_of=card.judged_at)
    if found is None:
        return
    on = f" on {found.on.day} {found.on:%b %Y}" if found.on else ", day not known"
    more = f", last on {found.last_on.day} {found.last_on:%b %Y}" if found.last_on and found.last_on != found.on else ""
    told = f", told by {found.told_by}" if found.told_by else ""
    yield Banner("stop", "Severe neutropenia before.", f"Lowest ANC {found.anc} /uL{on}{more}{told}.", first=True)


def _limited(record: Record, card: AdviceCard) -> Iterator[Banner]:
    agreed = agreement_at(record.treatment, card.judged_at)
    if agreed is None:
        return
    left = (agreed.until - card.judged_at.date()).days
    text = f"Counts are judged by limits agreed until {agreed.until:%a} {agreed.until.day} {agreed.until:%b %Y}."
    if left <= ENDS_SOON:
        text += f" {left} days are left: agree them again in time, or plan for the protocol's own."
    yield Banner("warn" if left <= ENDS_SOON else "calm", "Not the protocol's own limits.", text)


def _register(record: Record) -> Iterator[Banner]:
    for entry in record.register:
        if record.known(entry.ended_at):
            continue
        on, again = entry.entered_at, entry.review_on
        text = (
            f"Since {on.day} {on:%b %Y}, entered by {entry.entered_by}: {sentence(entry.evidence)}"
            f" Look again on {again.day} {again:%b %Y}."
        )
        link = reverse("rems", args=[record.treatment.patient_id]) + "#register"
        yield Banner("warn", "In the non-rechallenge register.", text, link, "Appeal or lift it")


def _unknown(record: Record) -> Iterator[Banner]:
    taken = record.take_over
    if taken is None:
        return
    unknown = [
        name
        for name, value in (("the first dose", taken.first_dose_on), ("the lowest ANC ever", taken.lowest_anc))
        if value is None
    ]
    if unknown:
        text = f"Not known: {' and '.join(unknown)}. The safer case is assumed"
        text += "; treat as possibly severe before." if taken.lowest_anc is None else "."
        yield Banner("warn", "Taken over from elsewhere.", text)


def _merged(record: Record) -> Iterator[Banner]:
    for merge in record.merges:
        if record.known(merge.undone_at):
            continue
        kept = merge.kept_id == record.treatment.pk
        other = merge.merged if kept else merge.kept
        patient = other.patient
        text = (
            f"The record with MRN {patient.mrn} was merged into this one by {merge.by}: {sentence(merge.reason)}"
            if kept
            else f"This record was merged into the one with MRN {patient.mrn} by {merge.by}: {sentence(merge.reason)}"
        )
        link = reverse("patient", args=[patient.pk]) if other.clinic_id == record.treatment.clinic_id else ""
        words = "Open the other record" if link else ""
        yield Banner("calm" if kept else "warn", "Merged records.", text, link, words, first=not kept)


def _moving(record: Record) -> Iterator[Banner]:
    for move in record.transfers:
        if record.known(move.accepted_at or move.declined_at or move.withdrawn_at):
            continue
        text = (
            f"{move.requested_by} asked {move.to_clinic} to take over: {sentence(move.reason)}"
            f" Until it accepts, {move.from_clinic} stays responsible."
        )
        yield Banner("warn", "Transfer asked for.", text)


def _proposed(record: Record) -> Iterator[Banner]:
    for proposal in record.proposals:
        if record.known(proposal.answered_at):
            continue
        baseline = f", baseline {plain(proposal.baseline_anc)} /uL" if proposal.baseline_anc else ""
        text = (
            f"{proposal.documented_by} documented it{baseline}: {sentence(proposal.evidence)}"
            " Nothing changes until a second person confirms it."
        )
        yield Banner("warn", "BEN waits for a second person.", text)


def _ben(record: Record) -> Iterator[Banner]:
    """Asked at the first low count that it might explain, so that nobody is held again and again for it."""
    if record.bens or record.proposals:
        return
    counts = [row for row in standing(record.results) if row.status != "preliminary"]
    latest = max(counts, key=lambda row: row.drawn_at, default=None)
    if latest is not None and worth_assessing(latest.count(), record.treatment.protocol):
        yield Banner(
            "warn",
            "BEN was never assessed.",
            "Benign ethnic neutropenia (Duffy-null) would explain a count like the latest one. Look for earlier counts"
            " and a Duffy phenotype. Until it is documented the general thresholds hold.",
        )
