"""App registration."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """The app's name, under which its tables are made."""

    name = "monitoring"
