"""The project's own app: checks, the shell's templates, the demo's commands."""

from django.apps import AppConfig

from clozatrack import checks, signing_in


class ClozatrackConfig(AppConfig):
    """Registers the checks, and what is noted at a sign-in, by importing them."""

    name = "clozatrack"
    checks = checks
    signing_in = signing_in
