"""What the rules say, word for word, about many questions: read the difference when a sentence changes.

python -m tests.rules.transcripts    writes tests/rules/said/ anew
"""

from pathlib import Path

from tests.rules.transcripts.ahead import at_home, limits, plans, unwell
from tests.rules.transcripts.dosing import breaks, doses, happenings
from tests.rules.transcripts.doubting import doubts
from tests.rules.transcripts.judging import judgements, protocols_refused, refusals, written_counts
from tests.rules.transcripts.supplying import programmes, supplies

SAID = Path(__file__).parents[1] / "said"

TRANSCRIPTS = {
    "judgements": judgements,
    "refusals": refusals,
    "written_counts": written_counts,
    "doses": doses,
    "happenings": happenings,
    "breaks": breaks,
    "supplies": supplies,
    "programmes": programmes,
    "plans": plans,
    "at_home": at_home,
    "limits": limits,
    "unwell": unwell,
    "doubts": doubts,
    "protocols_refused": protocols_refused,
}


def transcript(name: str) -> str:
    """Every question with its answer, a line each, alike answers in a row told once."""
    lines, last = [], None
    for asked, said in TRANSCRIPTS[name]():
        text = str(said)
        lines.append(f"{asked} | {'the same' if text == last else text}")
        last = text
    return "\n".join(lines) + "\n"
