"""Statements that SQLite and PostgreSQL spell alike, and values as columns take them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
_LONGEST = 200


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def insert_new(connection: Connection, table: Table, rows: list[Row], *key: str) -> set[tuple[Any, ...]]:
    """Insert the rows whose `key` is not there yet; returns their keys."""
    if not rows:
        return set()
    columns = [table.c[name] for name in key]
    statement = insert_into(connection, table).on_conflict_do_nothing(index_elements=columns)
    return {tuple(row) for row in connection.execute(statement.returning(*columns), rows)}


def word(text: str) -> str:
    """`text` as a column to search by: short, and without the one character that PostgreSQL refuses."""
    return text[:_LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}")
