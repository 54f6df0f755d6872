"""Which override lifts what: every combination of what can stand against a supply, with every override."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations, product

import pytest

from monitoring.rules.eligibility import ADVICE, STRICTNESS, SupplyPolicy, Why, eligibility
from monitoring.rules.judgement import Judgement
from monitoring.rules.overrides import REACH, Level, level, level_of, lifts, reach_of
from monitoring.rules.protocols import PROTOCOLS

TODAY = date(2026, 9, 14)
ADVISED = ("continue", "may_start", "may_resume", "do_not_start", "interrupt", "stop")
ENROLMENT = {"not asked for": (False, None), "enrolled": (True, True), "not enrolled": (True, False)}
FACTS = list(product(ADVISED, ENROLMENT, (False, True), (False, True), (False, True)))
"""Advice, enrolment, test overdue, dose to be built up, days of the draw used up: 144 states."""
OVERRIDES = [(scope, reach_of(scope, seen), news) for scope in REACH for seen in Level for news in (False, True)]
"""Scope, how high it reaches after what was seen at its confirmation, whether something is known since."""
BASE = Judgement(
    protocol="uk-ztas", as_of=datetime(2026, 9, 14, 12, tzinfo=UTC), anc="2500", wbc="5000", band="green",
    treatment="continue", frequency="weekly", due_on=TODAY + timedelta(days=3), overdue_after=TODAY + timedelta(days=3),
    overdue=False, phase="weekly", episode=None, actions=(), deadline=None, reasons=(),
)  # fmt: skip


def verdict_of(advice, enrolment, overdue, retitrate, used_up):
    asks, enrolled = ENROLMENT[enrolment]
    actions = ("retitrate_from_12_5_mg",) if retitrate else ()
    judgement = replace(BASE, treatment=advice, overdue=overdue, actions=actions)
    policy, drawn = SupplyPolicy(days={}, needs_enrolment=asks), TODAY - timedelta(days=30 if used_up else 4)
    return eligibility(judgement, PROTOCOLS[BASE.protocol], day=TODAY, drawn_on=drawn, policy=policy, enrolled=enrolled)


VERDICTS = {facts: verdict_of(*facts) for facts in FACTS}


def worse(facts, than):
    """At least as much stands against a supply, in every single fact."""
    order = [ADVISED.index(facts[0]) // 3, ADVISED.index(facts[0])], facts[1] == "not enrolled", *facts[2:]
    other = [ADVISED.index(than[0]) // 3, ADVISED.index(than[0])], than[1] == "not enrolled", *than[2:]
    return all(mine >= theirs for mine, theirs in zip(order, other, strict=True))


@pytest.mark.slow
def test_h28_the_order_in_which_reasons_are_found_changes_nothing():
    for facts, verdict in VERDICTS.items():
        assert verdict.answer == max((one.answer for one in verdict.why), key=STRICTNESS.index), facts
        said = {
            (level(order), *(lifts(reach, order, news=news) for _, reach, news in OVERRIDES))
            for order in permutations(verdict.why)
        }
        assert len(said) == 1, facts


def test_h28_more_against_a_supply_never_allows_more():
    for facts, verdict in VERDICTS.items():
        for than, before in VERDICTS.items():
            if worse(facts, than):
                assert STRICTNESS.index(verdict.answer) >= STRICTNESS.index(before.answer), (facts, than)
                assert level(verdict.why) >= level(before.why), (facts, than)
    for higher, lower in product(Level, Level):
        if higher >= lower:
            reasons = [next((one for v in VERDICTS.values() for one in v.why if level_of(one) == at), None)
                       for at in (higher, lower)]  # fmt: skip
            for _, reach, news in OVERRIDES:
                assert lifts(reach, reasons[1:], news=news) or not lifts(reach, reasons[:1], news=news)


@pytest.mark.slow
def test_h28_overrides_are_in_one_order_and_a_wider_one_or_one_more_never_allows_less():
    for verdict in VERDICTS.values():
        for (_, reach, news), (_, other, other_news) in product(OVERRIDES, OVERRIDES):
            mine, theirs = lifts(reach, verdict.why, news=news), lifts(other, verdict.why, news=other_news)
            if reach >= other and news <= other_news:
                assert mine >= theirs
            assert mine >= theirs or theirs >= mine


@pytest.mark.parametrize("scope", ["administrative", "bridge"])
def test_h28_an_administrative_override_lifts_nothing_clinical_and_a_bridge_no_decision(scope):
    allowed = {"administrative": (Level.NOTHING, Level.ADMINISTRATIVE)}.get(scope, tuple(Level)[:3])
    for facts, verdict in VERDICTS.items():
        clinical = [one for one in verdict.why if one.kind == "clinical" and one.answer != "may_supply"]
        for seen, news in product(Level, (False, True)):
            lifted = lifts(reach_of(scope, seen), verdict.why, news=news)
            assert lifted == (level(verdict.why) in allowed), (facts, seen, news)
            assert not (lifted and clinical and scope == "administrative"), facts
            assert not (lifted and facts[0] in ("do_not_start", "interrupt", "stop")), facts


def test_h28_a_clinical_override_lifts_what_was_seen_and_after_news_only_the_wait_for_blood():
    for facts, verdict in VERDICTS.items():
        standing = level(verdict.why)
        for seen in Level:
            reach = reach_of("clinical", seen)
            assert lifts(reach, verdict.why, news=False) == (standing <= max(seen, Level.WAITING)), facts
            assert lifts(reach, verdict.why, news=True) == (standing <= Level.WAITING), facts


def test_h28_what_the_clinic_asks_for_neither_adds_nor_hides_a_clinical_reason():
    for facts, verdict in VERDICTS.items():
        without = VERDICTS[(facts[0], "not asked for", *facts[2:])]
        clinical, other = ([one for one in v.why if one.kind == "clinical"] for v in (verdict, without))
        assert clinical == other, facts


def test_a_reason_that_nobody_has_placed_is_a_decision_when_it_is_clinical():
    for answer in ("prescriber_decides", "do_not_supply"):
        assert level_of(Why("new.rule", "clinical", answer, "New.")) >= Level.DECISION
    assert {level_of(one) for v in VERDICTS.values() for one in v.why} == set(Level)
    assert set(ADVICE) == set(ADVISED)
