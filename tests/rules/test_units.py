"""From what a laboratory wrote to exact numbers per microlitre."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from monitoring.rules.errors import InputError
from monitoring.rules.follow import follow
from monitoring.rules.history import History
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.units import UNITS_ACCEPTED, plain, read_count


@pytest.mark.parametrize(
    ("anc", "unit", "exact"),
    [
        ("1.5", "x10^9/L", "1500"),
        ("1.49894", "K/uL", "1498.94"),
        (1500, "/uL", "1500"),
        ("1500", "/\u00b5L", "1500"),
        ("1500", "cells/\u03bcL", "1500"),
        ("0", "10*9/L", "0"),
        ("20", "/mm3", "20"),
        ("100000", "/uL", "100000"),
        ("100", "G/L", "100000"),
        ("<0.1", "10*9/L", "<100"),
        ("> 10", "10*9/L", ">10000"),
        (Decimal("1.50"), "10*3/uL", "1500"),
    ],
)
def test_a_count_is_read_exactly_with_the_sign_it_came_with(anc, unit, exact):
    reading = read_count(anc=anc, unit=unit)
    assert plain(reading.anc, reading.anc_bound) == exact


@pytest.mark.parametrize(
    "written",
    ["1,5", "NaN", "", "-1", "1e3", "1.5.2", "١٥٠٠", "Infinity", True, Decimal("NaN"), Decimal(-1), 10**12, "<", "<=1"],
)
def test_h10_what_is_not_plainly_a_number_is_refused(written):
    with pytest.raises(InputError) as error:
        read_count(anc=written, unit="10*9/L")
    assert error.value.field == "anc"


@pytest.mark.parametrize(
    ("anc", "unit", "meant"),
    [
        ("1.8", "/uL", "1.8 x10^9/L (1800 /uL)"),
        ("19.9", "/uL", "19.9 x10^9/L"),
        ("100001", "/uL", "100.001 /uL"),
        ("1500", "10*9/L", "1500 /uL (1.5 x10^9/L)"),
        ("100.1", "K/uL", "100.1 /uL"),
        ("<0.1", "/uL", "<0.1 x10^9/L (<100 /uL)"),
    ],
)
def test_h10_a_likely_unit_slip_is_refused_with_the_reading_that_was_probably_meant(anc, unit, meant):
    with pytest.raises(InputError) as error:
        read_count(anc=anc, unit=unit)
    assert error.value.field == "anc"
    assert meant in error.value.message
    assert read_count(anc=anc, unit=unit, confirmed=True).anc is not None


@pytest.mark.parametrize("unit", ["mmol/L", "", None, "10^9", "/L"])
def test_h10_an_unknown_unit_is_refused_with_the_accepted_ones(unit):
    with pytest.raises(InputError) as error:
        read_count(anc="1.5", unit=unit)
    assert error.value.field == "unit"
    assert all(known in error.value.message for known in UNITS_ACCEPTED)


@pytest.mark.parametrize(
    ("fields", "exact", "flags"),
    [
        ({"segs_percent": 33, "bands_percent": 2}, "1470", ("derived",)),
        ({"segs_percent": 35}, "1470", ("bands_not_reported", "derived")),
        ({"neutrophils_percent": "35.5"}, "1491", ("derived",)),
        ({"neutrophils_percent": 40, "segs_percent": 33, "bands_percent": 0}, "1386", ("derived",)),
        ({"neutrophils_percent": 40, "bands_percent": 5}, "1680", ("derived",)),
        ({"anc": "1.6", "neutrophils_percent": 35}, "1600", ()),
        ({"anc": "1.7", "neutrophils_percent": 35}, "1700", ("anc_disagrees_with_derived",)),
    ],
)
def test_an_anc_is_derived_from_white_cells_of_the_same_draw_and_a_reported_one_wins(fields, exact, flags):
    reading = read_count(wbc="4.2", unit="10*3/uL", **fields)
    assert (plain(reading.anc), reading.flags, plain(reading.wbc)) == (exact, flags, "4200")


def test_a_difference_of_exactly_ten_percent_is_not_flagged():
    assert read_count(anc="2.0", wbc="6.0", neutrophils_percent=30, unit="G/L").flags == ()
    assert read_count(anc="2.0", wbc="6.0", neutrophils_percent="29.9", unit="G/L").flags == (
        "anc_disagrees_with_derived",
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"segs_percent": 80, "bands_percent": 21}, "bands_percent"),
        ({"segs_percent": 101}, "segs_percent"),
        ({"neutrophils_percent": "<5"}, "neutrophils_percent"),
        ({"neutrophils_percent": -1}, "neutrophils_percent"),
    ],
)
def test_impossible_percentages_are_refused(fields, field):
    with pytest.raises(InputError) as error:
        read_count(wbc="4.2", unit="10*3/uL", **fields)
    assert error.value.field == field


def test_derivation_is_exact_to_the_last_digit():
    reading = read_count(wbc="4.123456789012", segs_percent="33.123456789012", unit="K/uL")
    assert Fraction(reading.anc) == Fraction("4123.456789012") * Fraction("33.123456789012") / 100


def test_a_derived_unit_slip_is_refused_on_the_white_cells():
    with pytest.raises(InputError) as error:
        read_count(wbc="4.2", neutrophils_percent=35, unit="/uL")
    assert error.value.field == "wbc"


def test_a_draw_without_any_count_is_refused():
    with pytest.raises(InputError, match="needs an ANC, or a WBC"):
        read_count(unit="/uL")


@pytest.mark.parametrize(
    ("mature", "young", "fraction"),
    [("100", None, 100), ("99", "1", 100), ("100", "0", 100), ("100.1", None, None), ("99", "1.1", None)],
)
def test_percentages_may_make_a_hundred_and_no_more(mature, young, fraction):
    sent = {"wbc": "5000", "unit": "/uL", "segs_percent": mature, "bands_percent": young}
    if fraction is None:
        with pytest.raises(InputError, match=r"more than 100 %|percentage"):
            read_count(**sent)
    else:
        assert read_count(**sent).anc == 50 * fraction


@pytest.mark.parametrize(
    ("written", "unit", "meant"),
    [
        ("<1500", "10*9/L", "<1500 /uL (<1.5 x10^9/L)"),
        (">1500000", "/uL", ">1500 /uL"),
        ("<1.5", "/uL", "<1.5 x10^9/L (<1500 /uL)"),
    ],
)
def test_a_count_that_came_with_a_sign_is_guessed_at_with_its_sign(written, unit, meant):
    with pytest.raises(InputError, match=re.escape(f"probably {meant} was meant")):
        read_count(anc=written, unit=unit)


def test_a_number_is_read_up_to_its_most_digits_and_below_a_billion():
    assert read_count(anc=Decimal("1500." + "1" * 19), unit="/uL").anc == Decimal("1500." + "1" * 19)
    with pytest.raises(InputError, match="is not a count"):
        read_count(anc=Decimal("1500." + "1" * 20), unit="/uL")
    with pytest.raises(InputError, match="is not a count"):
        read_count(anc=10**12, unit="/uL")
    with pytest.raises(InputError, match="hardly possible"):
        read_count(anc=10**12 - 1, unit="/uL")


def test_a_population_that_no_table_knows_is_refused_with_those_that_are():
    with pytest.raises(InputError, match="knows general, ben, not 'danc'"):
        follow(History(population="danc"), PROTOCOLS["us-label-2025"], datetime(2026, 9, 14, tzinfo=UTC))
