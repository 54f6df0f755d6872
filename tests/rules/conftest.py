"""Each rule test reads its counts afresh: a reading kept from another test would hide a broken one."""

import pytest

from monitoring.rules import units


@pytest.fixture(autouse=True)
def _read_afresh():
    units._read_count.cache_clear()
