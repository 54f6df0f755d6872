"""The dose: what is warned of. A table that a pharmacist can read beside the label."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from monitoring.rules.dose import Circumstances, Dose, dose_warnings

BEGAN = date(2026, 3, 2)


def on_day(day, mg):
    return Dose(BEGAN + timedelta(days=day - 1), Decimal(mg))


def said(dose, *earlier, began=BEGAN, **around):
    return dose_warnings(dose, earlier=earlier, built_up_from=began, around=Circumstances(**around))


@pytest.mark.parametrize(
    ("dose", "earlier", "warned"),
    [
        (on_day(1, "12.5"), [], None),
        (on_day(1, 25), [], None),
        (on_day(1, "37.5"), [], "Day 1"),
        (on_day(2, 50), [on_day(1, 25)], None),
        (on_day(2, 75), [on_day(1, 25)], None),
        (on_day(2, 76), [on_day(1, 25)], "steps are 25 to 50 mg"),
        (on_day(5, 250), [on_day(1, 25), on_day(4, 175)], "75 mg more"),
        (on_day(14, 450), [on_day(13, 400)], None),
        (on_day(13, 475), [on_day(12, 450)], "300 to 450 mg"),
        (on_day(15, 550), [on_day(14, 450)], None),
        (on_day(15, 551), [on_day(14, 450)], "more at once"),
        (on_day(30, 300), [on_day(20, 500)], None),
        (on_day(24, 500), [on_day(14, 300), on_day(19, 350), on_day(22, 400)], "raised 2 times in the 7 days"),
        (on_day(30, 500), [on_day(14, 300), on_day(19, 350), on_day(22, 400)], None),
        (on_day(60, 900), [on_day(50, 850)], None),
        (on_day(60, 901), [on_day(50, 850)], "above the maximum of 900 mg"),
    ],
)
def test_building_up_and_going_on(dose, earlier, warned):
    found = said(dose, *earlier)
    assert (not found) if warned is None else any(warned in text for text in found), found


def test_a_strong_cyp1a2_inhibitor_asks_for_a_third():
    found = said(on_day(40, 300), on_day(30, 300), cyp1a2_inhibitor=True)
    assert any("about 100 mg instead of 300 mg" in text for text in found)
    assert any("300 mg is more than a third" in text for text in found)
    assert len(said(on_day(40, 100), on_day(30, 300), cyp1a2_inhibitor=True)) == 1


@pytest.mark.parametrize(
    ("before", "third"), [(400, "133"), (100, "33"), ("37.5", "12.5"), ("12.5", "4"), (200, "66.5")]
)
def test_the_third_that_is_advised_is_not_warned_of(before, third):
    (found,) = said(on_day(40, third), on_day(30, before), cyp1a2_inhibitor=True)
    assert f"about {third} mg instead of {before} mg" in found


def test_after_a_dose_of_nothing_there_is_no_third():
    (found,) = said(on_day(40, 100), on_day(30, 0), cyp1a2_inhibitor=True)
    assert "a third of the dose. When it ends" in found


def test_no_dose_before_is_not_called_one():
    (found,) = said(on_day(2, 300))
    assert found.startswith("300 mg, and no earlier dose is recorded since it was begun: in the first two weeks")
    assert "275" not in found
    assert said(on_day(2, 75)) == []


@pytest.mark.parametrize(
    ("around", "warned"),
    [
        ("cyp3a4_inducer", "not recommended"),
        ("stops_smoking", "levels rise by about half"),
        ("starts_smoking", "lowers the level"),
        ("off_treatment", "Treatment is interrupted"),
    ],
)
def test_what_else_changes_the_level(around, warned):
    assert warned in " ".join(said(on_day(40, 300), on_day(30, 300), **{around: True}))


def test_after_a_restart_the_dose_is_built_up_from_its_day():
    found = said(on_day(40, 300), on_day(30, 300), began=BEGAN + timedelta(days=39))
    assert any("Day 1" in text for text in found)


def test_before_the_first_dose_it_says_so():
    assert "No first dose" in dose_warnings(on_day(1, 25), earlier=[], built_up_from=None)[0]
    assert "before the day" in said(on_day(-3, 25))[0]
