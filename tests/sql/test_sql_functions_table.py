"""The table of SQL functions, their declarations, and what they carry."""

import pickle
import re

import cloudpickle
import pytest

import udfs
from flink_masking.errors import InputError
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.script import declarations
from flink_masking.sql.session import KEYS, NoKeys, Session
from flink_masking.techniques import registry

NOT_IN_SQL = {"keep", "drop"}
"""Techniques that say something about a member of a record; in SQL one leaves the column as it is, or out."""


def test_every_technique_has_a_function():
    """Each technique of the registry but keep and drop can be called by a function of its own."""
    called = {name for function in FUNCTIONS.values() for name in function.techniques}
    assert called == set(registry.TECHNIQUES) - NOT_IN_SQL
    assert len(FUNCTIONS) >= 15


def test_every_reversible_technique_has_a_way_back():
    """Each technique with a way back has a function that takes it."""
    reversible = {name for name, technique in registry.TECHNIQUES.items() if registry.examples(technique)[0].reversible}
    assert {name for function in FUNCTIONS.values() if function.back for name in function.techniques} == reversible
    assert reversible >= {name for name, technique in registry.TECHNIQUES.items() if registry.examples(technique)[0].needs_vault}


def test_declarations_are_of_functions_that_exist():
    """Each declaration names an object of the module udfs, and each function has one declaration and one comment."""
    statements = re.findall(r"^CREATE TEMPORARY SYSTEM FUNCTION (\w+) AS 'udfs\.(\w+)' LANGUAGE PYTHON;$", declarations(), re.MULTILINE)
    assert [name for name, _ in statements] == list(FUNCTIONS)
    for name, entry in statements:
        assert getattr(udfs, entry)._name == name
    comments = re.findall(r"^-- (\w+)\((.*?)\): \S", declarations(), re.MULTILINE)
    assert [name for name, _ in comments] == list(FUNCTIONS)


def test_register_all_registers_every_function():
    """One call registers every function under its name."""
    registered = {}

    class Environment:
        """Takes registrations."""

        def create_temporary_system_function(self, name, function):
            """Note one."""
            registered[name] = function

    udfs.register_all(Environment())
    assert registered == {name: getattr(udfs, name) for name in FUNCTIONS}


def test_an_unknown_name_is_told():
    """The module says what it lacks and where names are listed."""
    for name in ("pseudonim", "views_2", "views_2_view2", "views_1_part0"):
        with pytest.raises(AttributeError, match=rf"no function '{name}'. Hint: flink-masking sql functions"):
            getattr(udfs, name)


@pytest.mark.parametrize("name", [*FUNCTIONS, "views_2_view0"])
def test_functions_are_pickled_as_names(name):
    """What Flink ships is a class and a name, with no room for a key, and comes back whole."""
    function = getattr(udfs, name)._func
    blob = cloudpickle.dumps(function)
    assert len(blob) < 400
    assert pickle.loads(blob).__dict__ == function.__dict__


def test_open_functions_are_not_pickled(key_uri):
    """A function that has opened its keys refuses to be pickled rather than carry them."""
    function = udfs.pseudonym._func
    opened = type(function)("pseudonym")
    opened.open(_Context({KEYS: key_uri}))
    opened._call._session.ring()
    with pytest.raises(TypeError):
        cloudpickle.dumps(opened)


class _Context:
    """Job parameters as Flink's FunctionContext gives them."""

    def __init__(self, parameters):
        """Keep them."""
        self._parameters = parameters

    def get_job_parameter(self, name, default):
        """One of them."""
        return self._parameters.get(name, default)


def test_determinism_is_the_techniques():
    """Flink's planner is told which functions give the same result twice."""
    random = {name for name, function in FUNCTIONS.items() if not function.deterministic}
    assert random == {"mask", "protect", "substitute_random", "shuffle", "perturb", "encrypt"}
    assert all(getattr(udfs, name)._deterministic == (name not in random) for name in FUNCTIONS)


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.takes == "arguments"])
def test_wrong_numbers_of_arguments_are_told(name):
    """Too few and too many arguments are refused with the signature; so is NULL."""
    function = FUNCTIONS[name]
    wrong = [("x",) * (len(function.arguments) + 1), *([()] if function.required else []), *([(None,)] if function.arguments else [])]
    for arguments in wrong:
        with pytest.raises(InputError, match=re.escape(f"{name}") + ".*Hint: .*" + re.escape(function.signature)):
            function.rule(arguments)


def test_a_session_without_keys_holds_none():
    """The ring of a session that names no keys derives nothing."""
    ring = Session(lambda name, default: default).ring()
    assert isinstance(ring, NoKeys)
    with pytest.raises(RuntimeError, match=r"names no key ring. Hint: SET 'pipeline.global-job-parameters'"):
        ring.derive("pseudonym", "customer")
