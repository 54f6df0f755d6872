"""App registration."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The app's name, under which its tables are made."""

    name = "notifications"
