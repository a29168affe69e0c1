"""The notebook of protect_frame runs, and shows what is stored in it."""

import json
from importlib import resources
from pathlib import Path

from notebooks import run

NOTEBOOK = Path(str(resources.files("flink_masking.examples").joinpath("protect_frames.ipynb")))


def test_the_stored_outputs_are_those_of_today():
    """Each cell gives the output that is stored: values, types and counts."""
    stored, made = json.loads(NOTEBOOK.read_text()), run(NOTEBOOK)
    assert [cell.get("outputs") for cell in made["cells"]] == [cell.get("outputs") for cell in stored["cells"]]
    assert sum(len(cell.get("outputs", ())) for cell in stored["cells"]) > 6


def test_it_is_a_notebook_of_format_4():
    """Every cell has what format 4.5 asks for."""
    body = json.loads(NOTEBOOK.read_text())
    assert (body["nbformat"], body["nbformat_minor"]) == (4, 5)
    for cell in body["cells"]:
        assert {"cell_type", "id", "metadata", "source"} <= set(cell)
        assert cell["cell_type"] == "markdown" or {"outputs", "execution_count"} <= set(cell)
    assert len({cell["id"] for cell in body["cells"]}) == len(body["cells"])
