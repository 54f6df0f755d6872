"""What follows from a patient's own answers: the table, read beside the clinical rules."""

from decimal import Decimal

import pytest

from monitoring.rules.errors import InputError
from monitoring.rules.feeling_unwell import MILD, MODERATE, SEVERE, TABLE, Answers, findings

TOLD = (
    # what is ticked, what is found (the most urgent first), how soon
    ({}, [], None),
    ({"fever": True}, ["fever"], MODERATE),
    ({"celsius": Decimal("38.5")}, ["fever"], MODERATE),
    ({"celsius": Decimal("38.4")}, [], None),
    ({"sore_throat": True}, ["infection"], MODERATE),
    ({"weak": True}, ["infection"], MODERATE),
    ({"chest_pain": True}, ["chest_pain"], SEVERE),
    ({"fast_heart": True}, ["fast_heart"], SEVERE),
    ({"constipated": True}, ["constipated"], MODERATE),
    ({"constipated": True, "belly": True}, ["belly"], SEVERE),
    ({"belly": True}, ["belly"], SEVERE),
    ({"smoking": "stopped"}, ["stopped_smoking"], MODERATE),
    ({"smoking": "started"}, ["started_smoking"], MILD),
    ({"missed_days": 1}, ["missed_some"], MILD),
    ({"missed_days": 2}, ["missed"], MODERATE),
    ({"missed_days": 40}, ["missed"], MODERATE),
    ({"fever": True, "chest_pain": True, "missed_days": 2}, ["chest_pain", "fever", "missed"], SEVERE),
)


@pytest.mark.parametrize(("ticked", "found", "soon"), TOLD, ids=lambda value: str(value)[:40])
def test_what_follows_from_the_answers(ticked, found, soon):
    rows = findings(Answers(**ticked), retitrate_hours=48)
    assert [row.code for row in rows] == found
    assert min((row.severity for row in rows), default=None) == soon


def test_two_missed_days_are_counted_in_the_protocols_own_hours():
    assert [row.code for row in findings(Answers(missed_days=2), retitrate_hours=72)] == ["missed_some"]


def test_a_fever_or_a_sore_throat_asks_for_blood_today_and_only_three_things_for_emergency_help():
    assert {row.code for row in TABLE if row.test_today} == {"fever", "infection"}
    assert {row.code for row in TABLE if row.emergency} == {"chest_pain", "fast_heart", "belly"}
    assert all(row.severity == SEVERE for row in TABLE if row.emergency)


def test_the_table_is_in_the_order_of_urgency_and_every_row_has_its_source():
    assert [row.severity for row in TABLE] == sorted(row.severity for row in TABLE)
    assert all(row.source and row.says for row in TABLE)


@pytest.mark.parametrize(
    "wrong", [{"celsius": Decimal(101)}, {"missed_days": -1}, {"missed_days": 400}, {"smoking": "?"}]
)
def test_what_cannot_be_is_refused_with_what_would_be_right(wrong):
    with pytest.raises(InputError):
        Answers(**wrong)


def test_answers_are_kept_exactly():
    assert Answers(celsius=Decimal("38.60")).as_dict()["celsius"] == "38.60"
