"""What may be supplied, for how long, and why: the reading of a judgement that a pharmacist stands on."""

from datetime import timedelta
from decimal import Decimal

import pytest

from monitoring.rules.eligibility import after_the_last_tablet, eligibility, last_covered_day
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.supplying import SupplyPolicy
from tests.rules.telling import anc, event, judged, on, treated

HOUSE = SupplyPolicy(days={})


def asked(events, day, *, protocol="us-label-2025", policy=HOUSE, drawn=None, **more):
    said = judged(events, day, protocol=protocol)
    today = on(day).date()
    return eligibility(
        said,
        PROTOCOLS[protocol],
        day=today,
        drawn_on=on(drawn if drawn is not None else day).date(),
        policy=policy,
        **more,
    )


def rules(verdict):
    return [one.rule for one in verdict.why]


@pytest.mark.parametrize(("day", "days"), [(50, 7), (200, 14), (400, 30)])
def test_a_supply_follows_the_frequency_of_the_tests(day, days):
    verdict = asked(treated(anc(day, 2500)), day)
    assert (verdict.answer, verdict.days, verdict.until) == ("may_supply", days, on(day + days - 1).date())


def test_a_clinic_may_set_28_days():
    assert asked(treated(anc(400, 2500)), 400, policy=SupplyPolicy(days={"monthly": 28})).days == 28


@pytest.mark.parametrize(("margin", "reaches"), [(0, 9), (3, 12)])
def test_a_supply_does_not_reach_past_the_next_test_and_its_margin(margin, reaches):
    verdict = asked(treated(anc(400, 1400)), 406, drawn=400, policy=SupplyPolicy(days={}, margin_days=margin))
    assert verdict.until is None or verdict.until <= on(403 + margin).date()
    near = asked(treated(anc(400, 2500)), 425, drawn=400, policy=SupplyPolicy(days={}, margin_days=margin))
    assert near.until == on(431 + margin).date()
    assert near.days == 431 + margin - 425 + 1 == reaches - 2


@pytest.mark.parametrize(
    ("value", "answer"), [(2500, "may_supply"), (1400, "may_supply"), (900, "do_not_supply"), (400, "do_not_supply")]
)
def test_the_advice_decides_first(value, answer):
    verdict = asked(treated(anc(400, value)), 400)
    assert (verdict.answer, verdict.days > 0) == (answer, answer == "may_supply")


def test_a_mild_count_is_supplied_until_its_next_test():
    verdict = asked(treated(anc(400, 1400)), 400, policy=SupplyPolicy(days={}, margin_days=0))
    assert (verdict.answer, verdict.until, "repeat.owed" in rules(verdict)) == ("may_supply", on(401).date(), True)


def test_an_overdue_test_is_for_the_prescriber_and_never_a_silent_refusal():
    verdict = asked(treated(anc(400, 2500)), 432, drawn=400)
    assert (verdict.answer, "supply.overdue" in rules(verdict)) == ("prescriber_decides", True)


def test_after_two_days_without_a_dose_the_prescriber_decides_about_the_dose():
    verdict = asked(treated(anc(400, 2500), event("last_dose", 400)), 402, drawn=400)
    assert (verdict.answer, "break.retitrate" in rules(verdict)) == ("prescriber_decides", True)
    assert asked(treated(anc(400, 2500), event("last_dose", 400)), 401, drawn=400).answer == "may_supply"


def test_before_the_first_dose_a_good_baseline_may_be_supplied_and_a_bad_one_is_for_the_prescriber():
    assert asked([anc(-2, 2500)], 0, drawn=-2).answer == "may_supply"
    assert asked([anc(-2, 1400)], 0, drawn=-2).answer == "prescriber_decides"


def test_nothing_administrative_blocks_unless_the_clinic_switched_it_on():
    told = treated(anc(400, 2500))
    assert all(one.kind != "administrative" for one in asked(told, 400).why)
    own = SupplyPolicy(days={}, needs_enrolment=True)
    blocked = asked(told, 400, policy=own, enrolled=False)
    assert (blocked.answer, [one.kind for one in blocked.why if one.answer == "do_not_supply"]) == (
        "do_not_supply",
        ["administrative"],
    )
    assert asked(told, 400, policy=own, enrolled=True).answer == "may_supply"
    assert "rems.ended" in rules(asked(told, 400))


@pytest.mark.parametrize(("key", "days"), [("uk-cpms", 10), ("uk-ztas", 14)])
def test_in_the_uk_the_days_count_from_the_draw(key, days):
    told = [anc(-2, 5000, wbc=Decimal(8000)), event("first_dose", 0), anc(50, 5000, wbc=Decimal(8000))]
    verdict = asked(told, 53, drawn=50, protocol=key)
    assert (verdict.until, verdict.days) == (on(50 + days - 1).date(), days - 3)


def test_in_the_uk_a_draw_that_is_used_up_covers_nothing_more():
    told = [anc(-2, 5000, wbc=Decimal(8000)), event("first_dose", 0), anc(50, 5000, wbc=Decimal(8000))]
    verdict = asked(told, 60, drawn=50, protocol="uk-cpms")
    assert (verdict.answer, verdict.days, "supply.used_up" in rules(verdict)) == ("prescriber_decides", 0, True)


def test_in_australia_and_canada_no_supply_reaches_past_the_next_test():
    told = [anc(-2, 5000, wbc=Decimal(8000)), event("first_dose", 0), anc(200, 5000, wbc=Decimal(8000))]
    assert asked(told, 201, drawn=200, protocol="au-2021").until == on(228).date()
    assert asked(told, 202, drawn=200, protocol="au-2021").until == on(228).date()


def test_a_verdict_says_until_when_it_holds_and_by_when_blood_is_needed():
    verdict = asked(treated(anc(400, 2500)), 405, drawn=400)
    assert (verdict.holds_until, verdict.sample_by) == (on(431).date(), on(431).date())
    off = asked(treated(anc(400, 2500), event("last_dose", 400)), 401, drawn=400)
    assert off.holds_until == on(401).date()
    begins = asked([anc(-2, 2500)], 1, drawn=-2)
    assert begins.holds_until == on(5).date()
    assert asked([anc(-2, 2500)], 6, drawn=-2).answer == "prescriber_decides"


def test_a_gap_is_told_before_it_happens():
    days = {milestone.rule: milestone.on for milestone in after_the_last_tablet(PROTOCOLS["eu-2025-09"], on(0).date())}
    wanted = {"gap.begins": 1, "break.retitrate": 2, "break.extra_weekly": 4, "break.as_new": 28}
    assert days == {rule: on(day).date() for rule, day in wanted.items()}
    us = after_the_last_tablet(PROTOCOLS["us-label-2025"], on(0).date())
    assert [milestone.rule for milestone in us] == ["gap.begins", "break.retitrate", "break.as_new"]
    assert us[-1].on == on(30).date()


def test_tablets_of_one_day_are_taken_on_the_day_of_supply():
    assert last_covered_day(on(0).date(), 1) == on(0).date()
    assert last_covered_day(on(0).date(), 7) == on(0).date() + timedelta(days=6)
    with pytest.raises(ValueError, match="no supply"):
        last_covered_day(on(0).date(), 0)


@pytest.mark.parametrize(("stop", "answer"), [(True, "prescriber_decides"), (False, "may_supply")])
def test_after_a_stop_for_good_tablets_are_for_the_prescriber_from_the_first_day(stop, answer):
    verdict = asked(treated(anc(400, 2500), event("last_dose", 400, stop=stop)), 401, drawn=400)
    assert (verdict.answer, "break.stopped" in rules(verdict)) == (answer, stop)
