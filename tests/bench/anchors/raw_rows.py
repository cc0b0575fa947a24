"""Anchor: readings by the driver's executemany into one keyed table, in one transaction."""

import time
from collections.abc import Sequence

from sqlalchemy.engine import Engine

TABLE = "CREATE TABLE raw_reading (kpi TEXT, period TEXT, value TEXT, known_at TEXT, UNIQUE (kpi, period, known_at))"


def raw_rows(engine: Engine, rows: Sequence[tuple[str, str, str, str]]) -> float:
    """Return the seconds that writing the rows and committing them took."""
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    insert = f"INSERT INTO raw_reading VALUES ({', '.join([mark] * 4)})"
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS raw_reading")
        connection.exec_driver_sql(TABLE)
    start = time.perf_counter()
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        cursor.executemany(insert, rows)
    return time.perf_counter() - start
