"""Names of an import's fields for a template."""

from django import template

from monitoring.views.import_words import drawn_in_words, field_in_words

register = template.Library()
register.filter("in_words", field_in_words)
register.filter("drawn", drawn_in_words)
