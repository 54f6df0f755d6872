"""The engine against a second, naive reading of the same documents, on random histories."""

import json
import os
import random
from datetime import datetime
from decimal import Decimal

import pytest

from monitoring.rules.wire import answer
from tests.rules.second_reading.reading import judge
from tests.rules.second_reading.stories import random_history

HOW_MANY = int(os.environ.get("CLOZATRACK_HISTORIES", "4000"))


def compared(judgement):
    """Without the reasons, which are in each reading's own words; instants as instants."""
    if "error" in judgement:
        return {"error": judgement["error"]["field"]}
    said = {name: value for name, value in judgement.items() if name != "reasons"}
    said["deadline"] = said["deadline"] and datetime.fromisoformat(said["deadline"])
    if said["episode"]:
        said["episode"] = said["episode"] | {"opened_at": datetime.fromisoformat(said["episode"]["opened_at"])}
    return said


@pytest.mark.slow
def test_two_readings_of_the_rules_agree_on_random_histories():
    chance = random.Random(2026)
    lines = [json.dumps(random_history(chance)) for _ in range(HOW_MANY)]
    differ = []
    for line in lines:
        ours = json.loads(answer(line)[0])
        theirs = judge(json.loads(line, parse_float=Decimal))
        if compared(ours) != compared(theirs):
            differ.append((line, compared(ours), compared(theirs)))
    assert not differ, (len(differ), min(differ, key=lambda found: len(found[0])))
