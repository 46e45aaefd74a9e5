"""Statements that SQLite and PostgreSQL spell alike, and values as columns take them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

Row = dict[str, Any]
_LONGEST = 200


def insert_into(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, as `sqlite` or `postgresql` spells it."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_new(connection: Connection, table: Table, rows: list[Row], *key: str) -> set[tuple[Any, ...]]:
    """Insert the rows whose `key` is not there yet; returns their keys."""
    if not rows:
        return set()
    if connection.dialect.name == "sqlite" and _insert_all(connection, table, rows):
        return {tuple([row[name] for name in key]) for row in rows}
    return {tuple(row) for row in connection.execute(_insert_new(connection.dialect.name, table, key), rows)}


def _insert_all(connection: Connection, table: Table, rows: list[Row]) -> bool:
    """The usual case, in which all are new; else nothing is done, which costs little.

    SQLite runs one plain statement over many rows several times as fast as one that answers for each.
    """
    try:
        with connection.begin_nested():
            run_plainly(connection, _insert(table), rows)
    except IntegrityError:
        return False
    return True


def run_plainly(connection: Connection, statement: Insert, rows: list[Row]) -> None:
    """Run it on SQLite for each row, whose values are such as SQLite takes them.

    SQLAlchemy would look at each value of each row, which costs as much as storing it.
    """
    connection.exec_driver_sql(_spelled(statement, tuple(rows[0])), rows)


@cache
def _spelled(statement: Insert, columns: tuple[str, ...]) -> str:
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=columns))


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _insert_new(dialect: str, table: Table, key: tuple[str, ...]) -> Executable:
    columns = [table.c[name] for name in key]
    return insert_into(dialect, table).on_conflict_do_nothing(index_elements=columns).returning(*columns)


def word(text: str) -> str:
    """`text` as a column to search by: short, and without the one character that PostgreSQL refuses."""
    return text[:_LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}")
