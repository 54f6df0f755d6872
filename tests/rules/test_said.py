"""Every sentence, source and edge of what the rules say, as it was read and agreed to last."""

import pytest

from tests.rules.transcripts import SAID, TRANSCRIPTS, transcript


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_the_rules_say_what_they_said(name):
    """Where a sentence was meant to change: python -m tests.rules.transcripts, and read the difference."""
    said = (SAID / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert transcript(name).splitlines() == said
