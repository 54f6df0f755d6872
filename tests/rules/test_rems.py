"""The four eras of the US REMS, by the date asked about."""

from datetime import date, timedelta

import pytest

from monitoring.rules.rems import Facts, era_on, psf_due, rationales_used, would_have_said

ALL_WELL = {"prescriber_certified": True, "pharmacy_certified": True, "patient_enrolled": True, "band": "normal"}
IN = {"2015": date(2017, 5, 4), "2019": date(2020, 5, 4), "2021": date(2023, 5, 4)}


def said(on, **facts):
    return would_have_said(Facts(**ALL_WELL | {"anc_on": on} | facts), on)


@pytest.mark.parametrize(
    ("day", "era"),
    [
        (date(2015, 10, 12), "2015"), (date(2019, 2, 27), "2015"), (date(2019, 2, 28), "2019"),
        (date(2021, 11, 14), "2019"), (date(2021, 11, 15), "2021"), (date(2025, 2, 23), "2021"),
        (date(2025, 2, 24), "ended"), (date(2026, 11, 21), "ended"),
    ],
)  # fmt: skip
def test_the_era_is_chosen_by_the_date(day, era):
    assert era_on(day).key == era


def test_before_the_shared_programme_nothing_is_guessed():
    with pytest.raises(ValueError, match="ask about a later day"):
        era_on(date(2015, 10, 11))


def test_since_2025_no_question_is_asked_whatever_is_missing():
    answer = would_have_said(Facts(), date(2025, 2, 24))
    assert (answer.outcome, answer.tolerated) == ("not_asked", False)


@pytest.mark.parametrize("era", IN)
def test_with_everything_in_order_each_era_authorises(era):
    assert said(IN[era]).outcome == "authorised"


@pytest.mark.parametrize(("frequency", "days"), [("weekly", 7), ("every_2_weeks", 15), ("monthly", 31)])
def test_until_2019_an_old_anc_blocked_and_later_it_only_warned(frequency, days):
    for era, late in (("2015", "refused"), ("2019", "authorised")):
        on = IN[era]
        assert said(on, frequency=frequency, anc_on=on - timedelta(days=days)).outcome == "authorised"
        over = said(on, frequency=frequency, anc_on=on - timedelta(days=days + 1))
        assert over.outcome == late
        assert bool(over.warnings) is (era == "2019")


@pytest.mark.parametrize(
    ("population", "band", "outcome"),
    [("general", "mild", "authorised"), ("general", "moderate", "refused"), ("general", "severe", "refused"),
     ("ben", "neutropenia", "authorised"), ("ben", "severe", "refused")],
)  # fmt: skip
@pytest.mark.parametrize("era", ["2015", "2019"])
def test_a_low_count_needed_a_treatment_rationale(era, population, band, outcome):
    assert said(IN[era], population=population, band=band).outcome == outcome
    assert said(IN[era], population=population, band=band, treatment_rationale=True).outcome == "authorised"


@pytest.mark.parametrize(
    ("era", "missing"),
    [("2019", "prescriber_certified"), ("2019", "patient_enrolled"), ("2021", "pharmacy_certified"),
     ("2021", "patient_enrolled")],
)  # fmt: skip
def test_certification_and_enrolment_blocked(era, missing):
    assert said(IN[era], **{missing: False}).outcome == "refused"


def test_from_2021_a_held_treatment_blocked_and_the_age_of_the_anc_did_not():
    on = IN["2021"]
    assert said(on, treatment_held=True).outcome == "refused"
    assert said(on, anc_on=on - timedelta(days=200)).outcome == "authorised"


@pytest.mark.parametrize(("ago", "outcome"), [(37, "authorised"), (38, "refused")])
def test_from_the_second_dispense_a_status_form_of_the_last_37_days_is_needed(ago, outcome):
    on = IN["2021"]
    forms = [on - timedelta(days=ago)]
    assert said(on, dispenses=[on - timedelta(days=30)], status_forms=forms).outcome == outcome
    assert said(on, status_forms=forms).outcome == "authorised"
    assert psf_due(forms[0]) == forms[0] + timedelta(days=37)
    assert psf_due(None) is None


@pytest.mark.parametrize(
    ("used", "anc_ago", "band", "outcome"),
    [(2, 30, "normal", "authorised"), (3, 30, "normal", "refused"), (0, 31, "normal", "refused"),
     (0, 5, "moderate", "refused")],
)  # fmt: skip
def test_a_dispense_rationale_stood_in_for_the_form_three_times_in_six_months(used, anc_ago, band, outcome):
    on = IN["2021"]
    earlier = [on - timedelta(days=20 * (number + 1)) for number in range(used)]
    answer = said(
        on, dispenses=[on - timedelta(days=30)], with_rationale=True, dispense_rationales=earlier, band=band,
        anc_on=on - timedelta(days=anc_ago),
    )  # fmt: skip
    assert answer.outcome == outcome


def test_rationales_older_than_six_months_no_longer_count():
    on = date(2023, 5, 4)
    earlier = [date(2022, 11, 4), date(2023, 1, 4), date(2023, 2, 4)]
    assert said(on, dispenses=[on], with_rationale=True, dispense_rationales=earlier).outcome == "authorised"


@pytest.mark.parametrize(("day", "tolerated"), [(date(2021, 11, 18), False), (date(2021, 11, 19), True)])
def test_from_2021_11_19_a_refusal_was_tolerated_and_both_are_told(day, tolerated):
    answer = said(day, patient_enrolled=False)
    assert (answer.outcome, answer.tolerated) == ("refused", tolerated)
    assert not said(day).tolerated


@pytest.mark.parametrize(
    ("day", "frequency", "days"),
    [(date(2021, 11, 14), "monthly", None), (date(2021, 11, 15), "monthly", 7), (date(2022, 11, 1), "monthly", 7),
     (date(2022, 11, 2), "monthly", 30), (date(2022, 11, 2), "every_2_weeks", 14), (date(2022, 11, 2), "weekly", 7)],
)  # fmt: skip
def test_the_supply_at_discharge(day, frequency, days):
    assert said(day, frequency=frequency).discharge_days == days


@pytest.mark.parametrize("era", IN)
def test_before_the_treatment_began_there_is_no_answer_and_it_says_so(era):
    later = IN[era] + timedelta(days=30)
    answer = said(IN[era], begun=False, begins_on=later)
    assert (answer.outcome, answer.tolerated, answer.discharge_days) == ("not_begun", False, None)
    assert f"it began on {later}" in answer.because[0]
    assert "no first dose is on record" in said(IN[era], begun=False).because[0]


def test_before_a_take_over_with_an_unknown_beginning_nothing_is_guessed():
    answer = said(IN["2021"], begun=False, begins_on=date(2024, 1, 1), beginning_known=False)
    assert answer.outcome == "not_on_record"
    assert "is not known" in answer.because[0]


def test_after_the_end_no_question_is_asked_even_before_a_treatment_began():
    assert would_have_said(Facts(begun=False), date(2025, 2, 24)).outcome == "not_asked"


def test_dispense_rationales_are_counted_over_six_months_the_day_itself_too():
    on = date(2023, 5, 4)
    assert rationales_used([date(2022, 11, 4), date(2022, 11, 5), on, date(2023, 5, 5)], on) == 2
