"""The table of knock-outs names controls that are there."""

from pathlib import Path

import pytest

from tests.knockouts import KNOCKOUTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("one", KNOCKOUTS, ids=lambda one: f"{one.hazard} {one.control}")
def test_the_text_that_a_knockout_takes_away_is_there(one):
    assert one.text in (ROOT / one.file).read_text()
    assert (ROOT / one.test.partition("::")[0]).exists()
