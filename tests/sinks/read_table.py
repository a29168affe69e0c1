"""Prints the rows of a table as JSON: python read_table.py STATEMENT JAR…; the statement creates the table `orders`."""

import json
import sys
from pathlib import Path

from pyflink.table import EnvironmentSettings, StreamTableEnvironment

from flink_masking import stream_environment

environment = stream_environment({"parallelism.default": "1", "execution.runtime-mode": "BATCH"}, map(Path, sys.argv[2:]))
tables = StreamTableEnvironment.create(environment, EnvironmentSettings.in_batch_mode())
tables.execute_sql(sys.argv[1])
with tables.execute_sql("SELECT * FROM orders").collect() as rows:
    print(json.dumps([[str(cell) for cell in row] for row in rows]))
