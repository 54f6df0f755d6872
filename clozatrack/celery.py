"""The Celery app. It carries no facts, only "look now": every fact is a row in PostgreSQL."""

import importlib
import os

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clozatrack.settings")

app = Celery("clozatrack")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def before_start(**kwargs: object) -> None:
    """In production neither worker nor beat starts on a database that is not in UTC."""
    # Django's settings are read only now: importing the app must not need them.
    importlib.import_module("clozatrack.starting").refuse_wrong_database()
