"""A person corrects a laboratory's result, and the laboratory goes on numbering its own versions."""

from datetime import timedelta

import pytest

from monitoring.actions.amending import correct_result, take_back_result
from monitoring.actions.record_result import record_result
from monitoring.models import Alert, Result
from monitoring.rules.errors import InputError
from tests.cast import NOW, a_clinic, a_count, a_person, a_report, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DRAWN = NOW - 6 * HOUR


@pytest.fixture
def treatment():
    return a_treatment(a_clinic())


@pytest.fixture
def nurse(treatment):
    return a_person(treatment.clinic, "nurse", first_name="Nora", last_name="Nurse")


@pytest.fixture
def first(treatment):
    return a_count(treatment, 2500, at=DRAWN, accession="S1", version=1, now=NOW - 5 * HOUR)


def by_hand(treatment, first, nurse, anc):
    return correct_result(
        treatment=treatment, result=first, count={"anc": str(anc), "unit": "/uL"}, drawn_at=DRAWN,
        reason="Read from the paper", by=nurse, now=NOW - 4 * HOUR,
    )  # fmt: skip


def from_the_laboratory(treatment, anc, version, status="corrected", now=NOW):
    report = a_report(anc, at=DRAWN, accession="S1", version=version, status=status)
    return record_result(treatment=treatment, report=report, by=None, now=now)


def places():
    return list(Result.objects.filter(accession="S1").order_by("version").values_list("version", "sent_version", "anc"))


def standing(treatment):
    return [result.anc for result in treatment.every_result().current() if result.accession == "S1"]


def test_h14_a_laboratorys_version_is_not_lost_to_a_number_that_a_person_took(treatment, first, nurse):
    by_hand(treatment, first, nurse, 1400)
    late = from_the_laboratory(treatment, 250, version=2)
    assert places() == [(1, 1, 2500), (2, None, 1400), (3, 2, 250)]
    treatment.refresh_from_db()
    assert (standing(treatment), treatment.advice) == ([250], "stop")
    assert from_the_laboratory(treatment, 250, version=2).pk == late.pk


def test_h14_when_the_laboratory_says_otherwise_than_a_person_did_somebody_has_to_look(treatment, first, nurse):
    by_hand(treatment, first, nurse, 2400)
    from_the_laboratory(treatment, 2600, version=2)
    alert = Alert.objects.get(cause="correction")
    assert alert.severity == 2
    assert alert.summary.startswith("Nora Nurse had corrected this result; a later message of the laboratory stands")


def test_h14_what_a_person_took_back_and_the_laboratory_sends_again_is_told(treatment, first, nurse):
    take_back_result(treatment=treatment, result=first, reason="Another patient's", by=nurse, now=NOW - 4 * HOUR)
    from_the_laboratory(treatment, 2600, version=2)
    assert "Nora Nurse had taken this result back" in Alert.objects.get(cause="correction").summary
    assert standing(treatment) == [2600]


def test_a_laboratory_that_says_the_same_as_the_person_troubles_nobody(treatment, first, nurse):
    by_hand(treatment, first, nurse, 2400)
    from_the_laboratory(treatment, 2400, version=2)
    assert not Alert.objects.filter(cause="correction").exists()


def test_h16_an_old_version_that_comes_late_never_stands_over_a_newer_one(treatment, first, nurse):
    by_hand(treatment, first, nurse, 2400)
    from_the_laboratory(treatment, 300, version=3)
    from_the_laboratory(treatment, 2600, version=2)
    assert standing(treatment) == [300]
    assert (0, 2, 2600) in places()
    from_the_laboratory(treatment, 350, version=4)
    assert standing(treatment) == [350]


def test_h16_a_low_count_that_a_newer_version_has_replaced_already_alarms_nobody(treatment, first):
    from_the_laboratory(treatment, 2600, version=3)
    from_the_laboratory(treatment, 300, version=2)
    assert standing(treatment) == [2600]
    assert not Alert.objects.exists()


def test_another_number_under_a_version_that_the_laboratory_sent_itself_is_refused_as_before(treatment, first, nurse):
    by_hand(treatment, first, nurse, 2400)
    from_the_laboratory(treatment, 300, version=2)
    with pytest.raises(
        InputError, match="version 2 of S1 is stored with other content; send a correction as version 3"
    ):
        from_the_laboratory(treatment, 310, version=2)


def test_a_final_without_a_number_follows_the_preliminary_that_a_person_had_corrected(treatment, nurse):
    first = a_count(treatment, 900, at=DRAWN, accession="S1", status="preliminary", now=NOW - 5 * HOUR)
    by_hand(treatment, first, nurse, 950)
    final = from_the_laboratory(treatment, 930, version=None, status="final")
    assert standing(treatment) == [930]
    assert from_the_laboratory(treatment, 930, version=None, status="final").pk == final.pk


def test_a_person_who_looked_before_the_laboratorys_message_came_looks_again(treatment, first, nurse):
    from_the_laboratory(treatment, 2600, version=2)
    with pytest.raises(InputError, match="stored with other content"):
        by_hand(treatment, first, nurse, 2400)
