"""What was shown is what is saved: a form that was changed after it was shown is shown again."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from django.http import HttpRequest

APART = ("csrfmiddlewaretoken", "save", "seen", "another")
"""Not part of what is shown: the button, the mark itself, and the answer to what was shown."""


def mark(request: HttpRequest) -> str:
    """A mark of everything that was sent; it travels with the page that shows it."""
    return mark_of({name: values for name, values in request.POST.lists() if not name.startswith(APART)})


def mark_of(sent: Mapping[str, Sequence[str]]) -> str:
    """A mark of these values; what is empty and how lines end make no difference."""
    written = {
        name: [value.replace("\r\n", "\n").strip() for value in values] for name, values in sent.items() if any(values)
    }
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:32]


def confirmed(request: HttpRequest) -> bool:
    """Save was pressed, and on exactly what was shown."""
    return "save" in request.POST and request.POST.get("seen") == mark(request)
