"""BEN by two people: evidence, two baselines on different dates, and what it would change before it does."""

import pytest
from django.db import IntegrityError, transaction

from monitoring.actions.ben import answer_ben, propose_ben
from monitoring.models import Alert, BenProposal, BenStatus, Result
from monitoring.rules.errors import InputError
from notifications.models import Delivery
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment
from tests.monitoring.desk import Desk, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def prescribers(clinic):
    return [a_person(clinic, "prescriber") for _ in range(2)]


@pytest.fixture
def treatment(clinic, prescribers):
    treatment = a_treatment(clinic, started=None, clinician=prescribers[0])
    for days, anc in ((6, 1260), (3, 1180)):
        a_count(treatment, anc, at=NOW - days * DAY, accession=f"baseline-{days}-{treatment.pk}")
    return treatment


def baselines(treatment):
    return list(treatment.results.order_by("drawn_at"))


def proposed(treatment, by, **more):
    told = {"baselines": baselines(treatment), "evidence": "Duffy-null phenotype."} | more
    return propose_ben(treatment=treatment, by=by, now=NOW, **told)


def typed(treatment):
    return {"baselines": [row.pk for row in baselines(treatment)], "evidence": "Duffy-null phenotype."}


@pytest.mark.slow
def test_h18_nothing_changes_until_a_second_person_has_confirmed(client, treatment, prescribers):
    first, second = (Desk(client, person) for person in prescribers)
    page = words(first.do(treatment, "ben", **typed(treatment)))
    assert (
        "with BEN, ANC /uL 1000 or more: normal, continue 500 to below 1000: neutropenia, continue below 500: severe"
        in page
    )
    assert "Documented baseline: 1180 /uL, the lower of the two" in page
    assert "do not start treatment → treatment may start" in page
    assert (treatment.band, treatment.advice) == ("mild", "do_not_start")
    assert "a second person has to confirm" in first.said(treatment, "confirm-ben", reply="yes")
    assert not BenStatus.objects.exists()
    page = words(second.do(treatment, "confirm-ben", reply="yes"))
    assert "Do not start treatment Treatment may start" in page
    assert (treatment.band, treatment.advice) == ("normal", "may_start")
    status = BenStatus.objects.get()
    assert (status.documented_by, status.confirmed_by, status.baseline_anc) == (*prescribers, 1180)
    assert "2026-09-08 ANC 1260 /uL; 2026-09-11 ANC 1180 /uL" in status.evidence


def test_h18_who_documented_it_cannot_confirm_it(treatment, prescribers):
    proposal = proposed(treatment, prescribers[0])
    with pytest.raises(InputError, match="a second person has to confirm"):
        answer_ben(proposal=proposal, confirm=True, answer="", by=prescribers[0], now=NOW)
    answer_ben(proposal=proposal, confirm=True, answer="", by=prescribers[1], now=NOW)
    with pytest.raises(IntegrityError, match="ben_proposal_needs_two_people"), transaction.atomic():
        BenProposal.objects.update(answered_by=prescribers[0])


@pytest.mark.parametrize("change", ["one", "same_day", "supported", "bound"])
def test_h18_baselines_are_two_exact_final_counts_on_different_dates(treatment, prescribers, change):
    rows = baselines(treatment)
    if change == "one":
        rows = rows[:1]
    elif change == "same_day":
        rows = [rows[0], a_count(treatment, 1300, at=rows[0].drawn_at + DAY / 24)]
    elif change == "supported":
        rows = [rows[0], a_count(treatment, 1300, at=NOW - DAY, supported=True)]
    else:
        rows = [rows[0], a_count(treatment, "<1200", at=NOW - DAY)]
    with pytest.raises(InputError, match=r"different dates|exact number"):
        proposed(treatment, prescribers[0], baselines=rows)
    assert not BenProposal.objects.exists()


def test_a_baseline_below_1000_is_evidence_but_no_baseline(treatment, prescribers):
    low = a_count(treatment, 900, at=NOW - DAY)
    assert proposed(treatment, prescribers[0], baselines=[baselines(treatment)[0], low]).baseline_anc is None


def test_every_other_prescriber_is_told_and_the_answer_ends_the_alert(treatment, prescribers, clinic):
    proposal = proposed(treatment, prescribers[0])
    alert = Alert.objects.get(cause="ben_to_confirm")
    told = Delivery.objects.filter(about=f"alert:{alert.pk}").values_list("address", flat=True)
    assert (prescribers[1].email in told, alert.owner) == (True, prescribers[1])
    answer_ben(proposal=proposal, confirm=False, answer="No phenotype on file", by=prescribers[1], now=NOW)
    alert.refresh_from_db()
    assert (alert.state, alert.outcome) == ("resolved", "prescriber_decided")
    assert not BenStatus.objects.exists()


def test_declining_needs_a_reason_and_an_answer_is_given_once(treatment, prescribers):
    proposal = proposed(treatment, prescribers[0])
    with pytest.raises(InputError, match="say why it is declined"):
        answer_ben(proposal=proposal, confirm=False, answer=" ", by=prescribers[1], now=NOW)
    for _ in range(2):
        answer_ben(proposal=proposal, confirm=True, answer="", by=prescribers[1], now=NOW)
    with pytest.raises(InputError, match="answered this already"):
        answer_ben(proposal=proposal, confirm=False, answer="No", by=prescribers[1], now=NOW)
    assert BenStatus.objects.count() == 1


def test_a_second_proposal_waits_for_the_first_and_the_same_one_is_once(treatment, prescribers):
    first, again = proposed(treatment, prescribers[0]), proposed(treatment, prescribers[0])
    assert (again.pk, again.just_stored) == (first.pk, False)
    with pytest.raises(InputError, match="waits to be confirmed"):
        proposed(treatment, prescribers[1])
    answer_ben(proposal=first, confirm=True, answer="", by=prescribers[1], now=NOW)
    with pytest.raises(InputError, match="documented for this patient already"):
        proposed(treatment, prescribers[0])


def test_a_count_drawn_on_clozapine_is_called_out(client, clinic, prescribers):
    treatment = a_treatment(clinic, started=NOW - 40 * DAY, clinician=prescribers[0])
    a_count(treatment, 1100, at=NOW - DAY)
    assert "drawn on clozapine" in Desk(client, prescribers[0]).said(treatment, "ben", **typed(treatment))
    assert Result.objects.filter(treatment=treatment).count() == 2
