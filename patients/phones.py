"""Telephone numbers in one form, so that the same number is the same text."""

import re

SEPARATORS = re.compile(r"[\s().\-/]")
INTERNATIONAL = re.compile(r"\+[1-9]\d{7,14}")


def phone_number(written: str) -> str:
    """The number as +15550100123. Raises ValueError where its country is not clear, or it is no number."""
    plain = SEPARATORS.sub("", written.strip())
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    if not INTERNATIONAL.fullmatch(plain):
        raise ValueError(f"“{written}” is no number with its country; write it such as +1 555 010 0123")
    return plain
