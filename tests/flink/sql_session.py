"""SQL functions in one mini-cluster: python sql_session.py ROWS PARAMETERS QUERY…; prints for each query a JSON list of its rows.

ROWS is a JSON file of the rows of the view ``people``; PARAMETERS a JSON object of job parameters.
"""

import json
import sys
from pathlib import Path

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment

import udfs
from flink_masking.flink.settings import DEFAULTS
from flink_masking.sql.session import GLOBAL, setting

COLUMNS = ("id", "card", "email", "ssn", "age", "born", "seen", "spent")


def main() -> None:
    """Run the queries one by one."""
    environment = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    for name, value in {**DEFAULTS, "parallelism.default": "1", GLOBAL: setting(**json.loads(sys.argv[2]))}.items():
        environment.get_config().set(name, value)
    udfs.register_all(environment)
    rows = [tuple(row) for row in json.loads(Path(sys.argv[1]).read_text())]
    schema = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.STRING()) for name in COLUMNS])
    environment.create_temporary_view("texts", environment.from_elements(rows, schema))
    casts = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in
                      (("age", "INT"), ("born", "DATE"), ("seen", "TIMESTAMP(3)"), ("spent", "DECIMAL(10, 2)")))  # fmt: skip
    environment.create_temporary_view("people", environment.sql_query(f"SELECT id, card, email, ssn, {casts} FROM texts"))
    answers = []
    for query in sys.argv[3:]:
        with environment.execute_sql(query).collect() as found:
            answers.append([list(row) for row in found])
    print("ANSWERS " + json.dumps(answers))


if __name__ == "__main__":
    main()
