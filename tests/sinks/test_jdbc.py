"""A masked view in a PostgreSQL table: columns, upserts by the masked key, and starts again."""

import processes
import psycopg
import pytest
from orders import CUSTOMERS, N, Orders
from postgres_server import PASSWORD
from sinks_page import snippet

pytestmark = pytest.mark.flink


@pytest.fixture(scope="module")
def story(tmp_path_factory, key_uri, server, sink_jars):
    """The job killed on the way, then all orders from the beginning; what the table holds after each."""
    place = tmp_path_factory.mktemp("jdbc")
    orders, uri = Orders(place, key_uri), server.database()
    (place / "password").write_text(PASSWORD)
    database = uri.rpartition("/")[2]
    there = "127.0.0.1:5432/shop", f"127.0.0.1:{server.port}/{database}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(snippet("PostgreSQL", "sql"))
        watching = orders.deployment("PostgreSQL", there, ('orders"}', 'orders", source.monitor-interval: 200 ms}'))
        command = (*processes.FAN_OUT, "--policy", place / "policy.yaml", "--deployment", watching, "--wait")
        with processes.started(place, *command) as process:
            processes.wait_for("rows are there", lambda: len(_rows(uri)) > 0, process)
        killed = _rows(uri)
        done = orders.run(orders.deployment("PostgreSQL", there))
    return orders, killed, done, _rows(uri)


def _rows(uri):
    with psycopg.connect(uri) as connection:
        return connection.execute("SELECT customer, email, city, amount, at FROM orders").fetchall()


def test_the_table_holds_the_last_row_of_each_key(story):
    """After a kill and all records once more, each masked key has one row, with the columns of its last record."""
    orders, killed, done, rows = story
    assert done.code == 0, done.err
    assert killed and len(rows) == CUSTOMERS < N
    assert {row[0]: row for row in rows} == orders.expected()


def test_what_is_no_record_is_in_no_row(story):
    """A record without the key, or with text for a number, is in the quarantine; rows hold no clear value."""
    orders, _, _, rows = story
    assert orders.refused() == len(orders.broken)
    text = repr(rows)
    assert not any(f"C{number:04}" in text or f"p{number}@" in text for number in range(CUSTOMERS))
