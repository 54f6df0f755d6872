"""docs/messages.md names settings that exist, and every one that the wires read."""

import re
from pathlib import Path

from clozatrack import wires

ROOT = Path(__file__).parents[2]


def read():
    """Which variables the wires ask for."""
    asked = []

    def env(name, default=""):
        asked.append(name)
        return default

    wires.sms(env), wires.webpush(env, ""), wires.rates(env)
    return set(asked)


def test_every_setting_of_the_wires_is_described_and_every_described_one_is_read():
    told = set(re.findall(r"`([A-Z][A-Z_]+[A-Z])(?:=1)?`", (ROOT / "docs/messages.md").read_text()))
    settings = (ROOT / "clozatrack/settings.py").read_text()
    known = read() | set(re.findall(r'_env\("([A-Z_]+)"', settings))
    examples = {"ANYMAIL_POSTMARK_SERVER_TOKEN", "ANYMAIL_WEBHOOK_SECRET", "CLOZATRACK_BASE_URL"}
    assert read() <= told
    assert {name for name in told if not name.endswith("_")} <= known | examples


def test_what_begins_with_anymail_is_handed_to_it_without_our_prefix():
    assert wires.anymail({"CLOZATRACK_ANYMAIL_POSTMARK_SERVER_TOKEN": "t", "OTHER": "x"}) == {
        "POSTMARK_SERVER_TOKEN": "t"
    }
