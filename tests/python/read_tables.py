"""Looks at a database with stock clients, as Superset and notebooks do, and prints one JSON object.

usage: read_tables.py HOST PORT USER DATABASE QUERY...

`columns`: what SQLAlchemy's reflection finds of every table and view; `answers`: what clickhouse-connect gets for each query, its first value or
the words of the error. Nothing here knows the project.
"""

import json
import sys

import clickhouse_connect
import sqlalchemy
from clickhouse_connect.driver.exceptions import DatabaseError


def reflected(host, port, user, database):
    """Name, type and comment of the columns, by table or view."""
    engine = sqlalchemy.create_engine(f"clickhousedb://{user}@{host}:{port}/{database}")
    inspector = sqlalchemy.inspect(engine)
    names = set(inspector.get_table_names(schema=database)) | set(inspector.get_view_names(schema=database))
    return {
        name: [[column["name"], str(column["type"]), column.get("comment")] for column in inspector.get_columns(name, schema=database)]
        for name in sorted(names)
    }


def answer(client, query):
    try:
        rows = client.query(query).result_rows
    except DatabaseError as error:
        return str(error)
    return rows[0][0] if rows else None


def main():
    host, port, user, database, queries = *sys.argv[1:5], sys.argv[5:]
    client = clickhouse_connect.get_client(host=host, port=int(port), username=user, database=database)
    answers = [answer(client, query) for query in queries]
    print(json.dumps({"columns": reflected(host, port, user, database), "answers": answers}, default=str))


if __name__ == "__main__":
    main()
