"""Functions of a job are unpickled where the releases are the client's, and nowhere else."""

import importlib
import inspect
import pickle
import pkgutil
from pathlib import Path

import cloudpickle
import pytest
from pyflink.datastream.functions import Function
from pyflink.table.udf import UserDefinedFunction

import flink_masking.flink
from flink_masking.errors import JobError
from flink_masking.flink.clock import ClockFunction
from flink_masking.flink.compat import versions
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.keyed import SegmentFunction
from flink_masking.flink.sql import ProtectUdf, ValueFunction
from flink_masking.policy.source import PolicySource

SOURCE = JobSource(PolicySource("policy.yaml", "version: 1"), "file:///keys.json")


def submitted(monkeypatch, **releases):
    """A function as a client with other releases pickles it."""
    with monkeypatch.context() as patched:
        here = versions.installed()
        patched.setattr(versions, "installed", lambda: {**here, **releases})
        return cloudpickle.dumps(SegmentFunction(SOURCE, "partners", 0))


@pytest.mark.parametrize("function", [SegmentFunction(SOURCE, "partners", 1), ClockFunction(SOURCE, "partners", 1_000, None),
                                      ValueFunction("mask"), ProtectUdf()], ids=lambda function: type(function).__name__)  # fmt: skip
def test_between_equal_installations_a_function_arrives_whole(function):
    """What is unpickled is of the same class, with the same members."""
    made = pickle.loads(cloudpickle.dumps(function))
    assert type(made) is type(function)
    assert made.__dict__ == function.__dict__


@pytest.mark.parametrize(("name", "release"),
                         [("flink-masking", "0.0.1"), ("PyFlink", "2.3.1"), ("pyarrow", "15.0.2"), ("Python", "3.9.2")])
def test_other_releases_are_refused_in_words(name, release, monkeypatch):
    """The error names what differs, both releases and what to do, and is raised before the function itself is unpickled."""
    sent = submitted(monkeypatch, **{name: release})
    with monkeypatch.context() as patched:
        patched.setattr(versions.pickle, "loads", lambda body: pytest.fail("the function was unpickled"))
        with pytest.raises(JobError) as raised:
            cloudpickle.loads(sent)
    here = versions.installed()[name]
    assert f"job: {name} {release} there and {here} here. Hint: let the workers run" in str(raised.value)


def test_several_differences_are_told_at_once(monkeypatch):
    """All that differs stands in one message, on one line."""
    with pytest.raises(JobError) as raised:
        pickle.loads(submitted(monkeypatch, PyFlink="2.2.0", pyarrow="17.0.0"))
    assert "PyFlink 2.2.0 there" in str(raised.value)
    assert "pyarrow 17.0.0 there" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_patches_of_pyarrow_and_python_may_differ(monkeypatch):
    """A worker with another patch release of pyarrow or Python takes the function."""
    assert isinstance(pickle.loads(submitted(monkeypatch, pyarrow="16.1.9", Python="3.11.0")), SegmentFunction)


def test_every_function_of_a_job_is_checked():
    """No class that Flink sends to workers goes without the comparison."""
    package = Path(flink_masking.flink.__file__).parent
    modules = [importlib.import_module(f"flink_masking.flink.{found.name}") for found in pkgutil.iter_modules([str(package)])]
    sent = {kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)
            if kind.__module__ == module.__name__ and issubclass(kind, (Function, UserDefinedFunction))}  # fmt: skip
    assert len(sent) >= 5
    assert [kind for kind in sent if not issubclass(kind, VersionChecked)] == []
