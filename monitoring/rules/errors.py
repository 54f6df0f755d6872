"""The one error that bad input raises here."""


class InputError(ValueError):
    """Input that cannot be judged; says which field, what was wrong and what would be right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class ImplausibleError(InputError):
    """A number that nobody has, most likely typed in another unit; a person who has looked again may confirm it."""
