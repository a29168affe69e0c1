"""The classes of Beam that are replaced, held against the installed release without a Java virtual machine."""

import zipfile

import pytest

from flink_masking.flink.compat import beam_services
from flink_masking.flink.compat.beam_services import ARTIFACTS, FACTORY, python_jar, replaced, services_jar
from flink_masking.flink.compat.class_file import ClassFile, ClassFormatError


@pytest.fixture(scope="module")
def installed() -> dict[str, bytes]:
    """The two classes as PyFlink carries them."""
    with zipfile.ZipFile(python_jar()) as jar:
        return {name: jar.read(name) for name in (FACTORY, ARTIFACTS)}


@pytest.mark.parametrize("name", [FACTORY, ARTIFACTS])
def test_a_class_that_was_only_read_is_written_unchanged(installed, name):
    """Reading and writing a class is the identity."""
    assert ClassFile(installed[name]).encode() == installed[name]


def test_the_jar_holds_both_classes_changed(installed):
    """The classes are those of the installed release but for what is replaced, and nothing else is in the jar."""
    with zipfile.ZipFile(services_jar()) as jar:
        assert sorted(jar.namelist()) == sorted([FACTORY, ARTIFACTS])
        for name, before in installed.items():
            assert jar.read(name) != before
            assert ClassFile(jar.read(name)).encode() == jar.read(name)
        with pytest.raises(ClassFormatError):  # the methods are gone
            replaced(installed[FACTORY], jar.read(ARTIFACTS))


def test_other_classes_are_refused(installed, tmp_path, monkeypatch):
    """A release whose classes look otherwise is not patched: the job is refused with what to do."""
    for classes in ((installed[ARTIFACTS], installed[ARTIFACTS]), (installed[FACTORY], installed[FACTORY]), (b"", b""),
                    (installed[FACTORY][:-300], installed[ARTIFACTS])):  # fmt: skip
        with pytest.raises(ClassFormatError):
            replaced(*classes)
    other = tmp_path / "flink-python-9.jar"
    with zipfile.ZipFile(other, "w") as jar:
        jar.writestr(FACTORY, installed[ARTIFACTS])
        jar.writestr(ARTIFACTS, installed[ARTIFACTS])
    monkeypatch.setattr(beam_services, "python_jar", lambda: other)
    with pytest.raises(beam_services.JobError, match="Hint: install the release of apache-flink"):
        services_jar.__wrapped__()
