"""Help, version, wrong usage, and what becomes of errors."""

import os
import subprocess
import sys

import pytest

from flink_masking import __version__
from flink_masking.cli.console import DEBUG, reporting_errors
from flink_masking.errors import InputError, JobError, PolicyError

COMMANDS = ("check", "schema", "keys", "generate", "run", "preview", "quarantine", "demo")


def test_help_lists_every_command(cli):
    """--help names all commands, and nothing fails without Flink."""
    done = cli("--help")
    assert done.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in done.out] == []


@pytest.mark.parametrize("command", [["check"], ["schema"], ["keys"], ["keys", "new"], ["generate"]])
def test_every_command_explains_itself(cli, command):
    """--help of a command ends with exit 0 and describes its options."""
    done = cli(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: flink-masking {' '.join(command)} " in done.out


def test_no_arguments_show_the_help(cli):
    """Without arguments the help is shown."""
    done = cli()
    assert "Usage: flink-masking" in done.out + done.err


def test_the_version_is_printed(cli):
    """--version prints name and version."""
    assert cli("--version") == (0, f"flink-masking {__version__}\n", "")


def test_wrong_usage_ends_with_two(cli):
    """An unknown command or option is named on stderr and ends with exit 2."""
    for arguments in (["mask"], ["generate", "--evnts", "3", "--output", "x"], ["check"]):
        done = cli(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "Usage:" in done.err and "Traceback" not in done.err


def test_help_loads_no_machinery():
    """flink-masking --help of a fresh process is quick, since nothing that computes is loaded for it."""
    heavy = {"cryptography", "faker", "numba", "numpy", "opendp", "pandas", "py4j", "pyarrow", "pydantic", "pyflink", "yaml"}
    program = "\n".join([
        "import sys",
        "from flink_masking.cli import main",
        "try:",
        "    main()",
        "finally:",
        "    print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)",
    ])
    done = subprocess.run([sys.executable, "-P", "-c", program, "--help"], check=True, capture_output=True, text=True)
    assert "Usage:" in done.stdout
    assert heavy.isdisjoint(done.stderr.split())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PolicyError("policy.yaml: wrong. Hint: mend it"), 2),
        (InputError("in: wrong. Hint: mend it"), 1),
        (JobError("job: wrong. Hint: mend it"), 1),
    ],
)
def test_an_error_becomes_a_message_and_a_code(capsys, error, code):
    """A planned error is printed on stderr with its hint below; faults of a policy end with 2, others with 1."""
    with pytest.raises(SystemExit) as left, reporting_errors():
        raise error
    assert left.value.code == code
    assert capsys.readouterr().err == f"error: {str(error).partition(' Hint')[0]}\nHint: mend it\n"


def test_an_unforeseen_error_does_not_tell_its_text(capsys, monkeypatch):
    """An error that nobody planned for may quote a record: its type and place are shown, its text is not."""
    monkeypatch.delenv(DEBUG, raising=False)
    with pytest.raises(SystemExit) as left, reporting_errors():
        int("123-45-6789")
    said = capsys.readouterr().err
    assert left.value.code == 1
    assert "internal error: ValueError" in said and "6789" not in said and "Traceback" not in said


def test_a_traceback_comes_on_request(capsys, monkeypatch):
    """FLINK_MASKING_DEBUG brings the traceback."""
    monkeypatch.setenv(DEBUG, "1")
    with pytest.raises(SystemExit), reporting_errors():
        raise JobError("lost")
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_ends_with_130(capsys):
    """Ctrl-C ends with 130 and a word."""
    with pytest.raises(SystemExit) as left, reporting_errors():
        raise KeyboardInterrupt
    assert (left.value.code, capsys.readouterr().err) == (130, "error: interrupted\n")


def test_a_file_that_cannot_be_opened_is_named(capsys, tmp_path):
    """An error of the operating system is reported with the file's name and reason."""
    missing = tmp_path / "nowhere"
    with pytest.raises(SystemExit) as left, reporting_errors():
        missing.read_text()
    assert left.value.code == 1
    assert f"{missing}: {os.strerror(2)}" in capsys.readouterr().err
