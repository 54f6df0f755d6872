"""The hazard log says what is so: each hazard once, each with a test that bears its number and a knock-out."""

import re
from pathlib import Path

import pytest

from tests.knockouts import KNOCKOUTS

ROOT = Path(__file__).parents[2]
LOG = (ROOT / "docs" / "hazards.md").read_text()
ROWS = [line.split(" | ") for line in LOG.splitlines() if line.startswith("| H")]
NUMBERS = [row[0].strip("| ") for row in ROWS]
TESTS = [
    name
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"^ *def (test_\w+)", path.read_text(), re.MULTILINE)
]
NAMED = {number for name in TESTS for number in re.findall(r"(?<=_)h\d\d(?=_)", name)}


def test_each_hazard_has_one_row_in_order():
    assert sorted(set(NUMBERS)) == NUMBERS


@pytest.mark.parametrize("row", ROWS, ids=NUMBERS)
def test_a_row_is_whole_and_its_test_and_its_knock_out_are_there(row):
    assert len(row) == 6, row
    number = row[0].strip("| ")
    assert number.lower() in NAMED
    assert number in {one.hazard for one in KNOCKOUTS}
    # A name that ends with three dots is the beginning of one.
    for name in re.findall(r"`(test_\w+)(?:\.\.\.)?`", row[5]):
        assert any(test.startswith(name) or name in test for test in TESTS), name


def test_every_knock_out_and_every_numbered_test_is_of_a_hazard_in_the_log():
    assert {one.hazard for one in KNOCKOUTS} == set(NUMBERS)
    assert {number.upper() for number in NAMED} <= set(NUMBERS)
