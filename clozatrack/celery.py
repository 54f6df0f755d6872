"""The Celery app. It carries no facts, only "look now": every fact is a row in PostgreSQL."""

import importlib
import os

from celery import Celery
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clozatrack.settings")

app = Celery("clozatrack")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def before_start(**kwargs: object) -> None:
    """In production neither worker nor beat starts on a database that is not in UTC."""
    # Django's settings are read only now: importing the app must not need them.
    try:
        importlib.import_module("clozatrack.starting").wait_for_right_database()
    except ImproperlyConfigured as reason:
        # Celery logs and swallows any Exception of a signal's receiver: only SystemExit stops the start.
        raise SystemExit(str(reason)) from reason
