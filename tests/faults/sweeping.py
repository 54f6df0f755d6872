"""Sweeps again and again, three times a second, so that it is under way whenever something is killed."""

import os
import time

import django

django.setup()

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from monitoring.sweep import sweep

UNTIL = float(os.environ["CLOZATRACK_LOAD_UNTIL"])

while time.time() < UNTIL:
    try:
        sweep(now=timezone.now())
    except (DatabaseError, InterfaceError):
        connection.close()
    time.sleep(0.3)
