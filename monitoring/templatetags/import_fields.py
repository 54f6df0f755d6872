"""Names of an import's fields, and what a take-over told, for a template."""

from django import template

from monitoring.models import Treatment
from monitoring.views.import_words import band_in_words, drawn_in_words, field_in_words
from monitoring.views.take_over_words import history_in_words

register = template.Library()
register.filter("in_words", field_in_words)
register.filter("band", band_in_words)
register.filter("drawn", drawn_in_words)


@register.inclusion_tag("monitoring/before_us.html")
def before_us(treatment: Treatment) -> dict[str, object]:
    """What is and is not known of the time before this clinic."""
    return {"known": history_in_words(treatment)}
