"""The Celery app. It carries no facts, only "look now": every fact is a row in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clozatrack.settings")

app = Celery("clozatrack")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
