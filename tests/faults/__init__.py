"""kill -9 at random moments under load; a separate program judges what is left."""
