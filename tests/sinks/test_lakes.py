"""A masked view in tables of Iceberg and Paimon in local warehouses, read back by their connectors."""

import datetime
import json
import os
from decimal import Decimal
from pathlib import Path

import processes
import pytest
from orders import CUSTOMERS, Orders
from sinks_page import snippet

pytestmark = pytest.mark.flink
JARS = {"Iceberg": "iceberg-flink-runtime-2.1", "Paimon": "paimon-flink-2.0"}


@pytest.mark.parametrize("section", JARS)
def test_the_lake_holds_the_last_row_of_each_key(section, tmp_path, key_uri, sink_jars):
    """After two runs over all records each masked key has one row, with the columns of its last record; nothing clear is written."""
    orders = Orders(tmp_path, key_uri)
    deployment = orders.deployment(section)
    hadoop = os.pathsep.join(str(path) for name, path in sink_jars.items() if name.startswith("hadoop-"))
    for _ in range(2):
        done = orders.run(deployment, HADOOP_CLASSPATH=hadoop)
        assert done.code == 0, done.err
    statement = snippet(section, "sql").replace("/data", str(tmp_path))
    read = processes.run(tmp_path, Path(__file__).with_name("read_table.py"), statement, sink_jars[JARS[section]], HADOOP_CLASSPATH=hadoop)
    assert read.code == 0, read.err
    rows = json.loads(read.out.splitlines()[-1])
    found = {key: (key, email, None if city == "None" else city, Decimal(amount), datetime.datetime.fromisoformat(at))
             for key, email, city, amount, at in rows}
    assert len(rows) == CUSTOMERS and found == orders.expected()
    assert orders.refused() == 2 * len(orders.broken)
    written = b"".join(file.read_bytes() for file in (tmp_path / section.lower()).rglob("*") if file.is_file())
    assert written and not any(f"C{number:04}".encode() in written for number in range(CUSTOMERS))
