"""What the package promises to be stable: names and signatures. A change here is a line in CHANGELOG.md."""

import doctest
import inspect
import json
import pickle
import re
import subprocess
import sys
from importlib import import_module

import pytest

import flink_masking
from flink_masking import errors
from flink_masking.cli.console import reporting_errors

SURFACE = {
    "Columns": "(payload='payload', key=None, headers=None, timestamp=None, partition=None)",
    "Fault": "(line, column, message, hint='', severity='error')",
    "FrameResult": "(views, released, quarantine, audit)",
    "KeyRing": "class",
    "LoadedPolicy": "class",
    "Policy": "class",
    "PolicyFaults": "(name, faults)",
    "Protector": "(policy, keys, vault=None, *, key_refresh_s=30.0, registry=None, control=None)",
    "Protector.finish": "(self)",
    "Protector.protect": "(self, batch)",
    "Protector.protect_frame": "(self, frame, segment=None, *, keep_index=False, last=False)",
    "Result": "(views, released, quarantine, audit)",
    "Unmasker": "(policy, segment, keys, *, actor, purpose, audit, vault=None, fields=None, version=None, skip_unreadable=False, "
                "registry=None, control=None)",
    "Unmasker.unmask": "(self, records)",
    "Views": "(views, audit, quarantine)",
    "launch": "(environment, statements, sinks, name, source_uid=None)",
    "load_policy": "(path)",
    "open_keys": "(uri)",
    "protect_stream": "(env, stream, policy, keys, **options)",
    "protect_table": "(t_env, table, policy, keys, *, vault=None, columns=…, name='', bounded=False, idle_after_s=60.0, "
                     "key_refresh_s=30.0, vault_patience_s=30.0, require_tls=False, registry=None, control=None)",
    "stream_environment": "(settings=None, jars=(), archive=None)",
}  # fmt: skip
ERRORS = {
    "ControlError", "ControlUnavailableError",
    "DecryptionError", "FlinkMaskingError", "InputError", "JobError", "KeyRingError", "KeyRingUnavailableError", "LogUnavailableError",
    "PolicyError", "RegistryError", "RegistryUnavailableError", "SchemaRefusedError", "VaultError", "VaultUnavailableError",
}  # fmt: skip
JOBS = {"Columns", "Views", "launch", "protect_stream", "protect_table", "stream_environment"}


def signature(thing: object) -> str:
    """Names and defaults of a callable's parameters."""
    parameters = []
    for parameter in inspect.signature(thing).parameters.values():  # type: ignore[arg-type]
        default = parameter.default
        if default is not parameter.empty and not isinstance(default, str | int | float | tuple | None):
            parameter = parameter.replace(default=type("", (), {"__repr__": lambda _: "…"})())
        parameters.append(parameter.replace(annotation=parameter.empty))
    return str(inspect.Signature(parameters))


def test_the_names_are_those_of_the_surface():
    """`__all__` has the names of this table, the errors and the version, each once."""
    assert sorted(flink_masking.__all__) == sorted({name for name in SURFACE if "." not in name} | ERRORS | {"__version__"})
    assert dir(flink_masking) == sorted(flink_masking.__all__)


@pytest.mark.parametrize("name", SURFACE)
def test_a_signature_is_that_of_the_surface(name):
    """Each name can be loaded, has a docstring, and takes what the table says."""
    first, _, method = name.partition(".")
    thing = getattr(flink_masking, first)
    thing = getattr(thing, method) if method else thing
    assert inspect.getdoc(thing)
    assert SURFACE[name] in ("class", signature(thing))


def test_every_error_is_public_and_told_apart():
    """Each class of the errors module is public, stands in its table with its exit code, survives pickling and ends a command with it."""
    classes = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.FlinkMaskingError)}
    assert set(classes) == ERRORS
    table = {name: int(code) for name, code in re.findall(r"^`(\w+)` +\w+ +(\d+) ", errors.__doc__, re.MULTILINE)}
    assert table == {name: kind.exit_code for name, kind in classes.items() if name != "FlinkMaskingError"}
    for kind in classes.values():
        again = pickle.loads(pickle.dumps(kind("what. Hint: do")))
        assert type(again) is kind and str(again) == "what. Hint: do"
        with pytest.raises(SystemExit) as ended, reporting_errors():
            raise again
        assert ended.value.code == kind.exit_code


def test_importing_loads_nothing_and_names_load_what_they_need():
    """The package alone loads no other module of its own; names without jobs load no Flink."""
    light = [name for name in flink_masking.__all__ if name not in JOBS]
    program = (f"import json, sys, flink_masking; own = [m for m in sys.modules if m.startswith('flink_masking.')]; "
               f"[getattr(flink_masking, name) for name in {light}]; print(json.dumps([own, 'pyflink' in sys.modules]))")
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], False]


@pytest.mark.parametrize("module", ["flink_masking", "flink_masking.policy.load", "flink_masking.protector", "flink_masking.keys.providers",
                                    "flink_masking.tools.unmasker"])
def test_examples_in_docstrings_run(module):
    """Each example of a public docstring gives what it shows."""
    found = doctest.testmod(import_module(module))
    assert found.attempted > 0
    assert found.failed == 0
