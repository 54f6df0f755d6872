"""Clozatrack: clozapine monitoring and REMS tracking. Decision support; the prescriber decides."""

from clozatrack.celery import app as celery_app

__all__ = ["celery_app"]
