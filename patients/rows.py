"""Rows of a model read and written by SQL of our own, on the paths where Django's building of a query is the cost.

Columns, conversions and defaults are the model's: a column added to the model is read and written here too.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=Model)
ALIAS = "default"


class Rows(Generic[Row]):
    """How the rows of one model come out of the database and go into it."""

    def __init__(self, model: type[Row]) -> None:
        self.model = model
        self.fields = tuple(model._meta.concrete_fields)
        self.names = tuple(field.attname for field in self.fields)
        self.key = self.fields.index(model._meta.pk)
        self.table = model._meta.db_table
        self.converted = [(n, field) for n, field in enumerate(self.fields) if hasattr(field, "from_db_value")]

    def __len__(self) -> int:
        return len(self.fields)

    def columns(self, alias: str) -> str:
        """The columns to select, in the order in which `read` takes them."""
        return ", ".join(f"{alias}.{field.column}" for field in self.fields)

    def read(self, values: Sequence[Any]) -> Row | None:
        """One row; None where an outer join found nothing."""
        if values[self.key] is None:
            return None
        plain = list(values)
        for number, field in self.converted:
            plain[number] = field.from_db_value(plain[number], None, connection)
        # Without the constructor, which looks for defaults and for listeners at each of some dozens of rows.
        row = self.model.__new__(self.model)
        row._state = state = ModelState()
        state.adding, state.db = False, ALIAS
        row.__dict__.update(zip(self.names, plain, strict=True))
        return row

    def all(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """Every row that the SQL finds; it selects `columns` and nothing else."""
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [row for values in cursor.fetchall() if (row := self.read(values)) is not None]

    def insert(self, **instead: str) -> str:
        """INSERT for one row without its key; `instead` names columns that are SQL and not parameters."""
        values = ", ".join(instead.get(field.column, "%s") for field in self._written())
        return f"INSERT INTO {self.table} ({self.written_columns()}) VALUES ({values})"  # noqa: S608  # names of our own

    def written_columns(self) -> str:
        """The columns of `insert`, in the order of `values`."""
        return ", ".join(field.column for field in self._written())

    def values(self, row: Row, *, without: Iterable[str] = ()) -> Iterator[Any]:
        """The parameters of `insert`, without those columns that it was given as SQL."""
        for field in self._written():
            if field.column not in without:
                yield field.get_db_prep_save(getattr(row, field.attname), connection)

    def _written(self) -> list[Any]:
        return [field for number, field in enumerate(self.fields) if number != self.key]
