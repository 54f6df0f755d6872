"""The project's own app: checks, the shell's templates, the demo's commands."""

from django.apps import AppConfig

from clozatrack import checks


class ClozatrackConfig(AppConfig):
    """Registers the checks by importing them."""

    name = "clozatrack"
    checks = checks
