"""manage.py vapid_keys: the two settings that web push needs, made anew."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.vapid import new_keys


class Command(BaseCommand):
    """Prints them; changing them later ends every browser's subscription."""

    help = "Print a new pair of VAPID keys as environment variables."

    def handle(self, *args: Any, **options: Any) -> None:
        """Two lines."""
        private, public = new_keys()
        self.stdout.write(f"CLOZATRACK_VAPID_PRIVATE_KEY={private}\nCLOZATRACK_VAPID_PUBLIC_KEY={public}")
