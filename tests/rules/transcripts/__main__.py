"""Writes the transcripts anew."""

from tests.rules.transcripts import SAID, TRANSCRIPTS, transcript

for each in TRANSCRIPTS:
    (SAID / f"{each}.txt").write_text(transcript(each), encoding="utf-8")
