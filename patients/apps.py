"""App registration."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """The app's name, under which its tables are made."""

    name = "patients"
