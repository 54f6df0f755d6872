"""Worked cases, derived by hand from the label: what the engine must say, field by field."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from monitoring.rules.wire import answer

HERE = Path(__file__).parent / "cases"
SHARED = Path(__file__).parents[3] / "shared" / "cases"


def read_cases():
    """Our own copies, and the shared ones where they are at hand (there may be more of them)."""
    files = sorted(HERE.glob("*.jsonl")) + (sorted(SHARED.glob("*.jsonl")) if SHARED.is_dir() else [])
    for file in files:
        for line in file.read_text().splitlines():
            case = json.loads(line, parse_float=Decimal)
            yield pytest.param(case, id=f"{file.parent.parent.name}-{case['history']['id']}")


CASES = list(read_cases())


@pytest.mark.parametrize("case", CASES)
def test_the_engine_says_what_the_case_expects(case):
    said = json.loads(answer(json.dumps(case["history"], default=str))[0])
    for name, expected in case["expect"].items():
        if name == "error_field":
            assert said["error"]["field"] == expected
        elif name == "deadline" and expected:
            assert datetime.fromisoformat(said["deadline"]) == datetime.fromisoformat(expected)
        else:
            assert said[name] == expected, (name, said)


@pytest.mark.parametrize("case", CASES)
def test_every_judgement_gives_reasons_with_a_sentence_and_a_source(case):
    said = json.loads(answer(json.dumps(case["history"], default=str))[0])
    if "error" in said:
        assert said["error"]["message"]
        return
    assert said["reasons"]
    assert all(reason["rule"] and reason["text"].endswith(".") and reason["source"] for reason in said["reasons"])
