"""flink-masking keys."""

from flink_masking.keys.files import read


def test_a_new_key_ring_is_for_its_owner_only(cli, tmp_path):
    """keys new writes a ring of one version with mode 0600, which opens again, and shows no key."""
    path = tmp_path / "keys.json"
    done = cli("keys", "new", path)
    assert (done.code, path.stat().st_mode & 0o777) == (0, 0o600)
    assert read(path).versions == (1,)
    roots = [line.split('"')[3] for line in path.read_text().splitlines() if '"root"' in line]
    assert roots and not any(root in done.out + done.err for root in roots)
    assert f"file://{path}" in done.out


def test_a_key_ring_is_never_replaced(cli, tmp_path):
    """keys new leaves a file that is there as it is, and says so."""
    path = tmp_path / "keys.json"
    path.write_text("precious")
    done = cli("keys", "new", path)
    assert (done.code, path.read_text()) == (1, "precious")
    assert "exists" in done.err and "Hint:" in done.err


def test_a_directory_that_is_not_there_is_named(cli, tmp_path):
    """keys new into a missing directory is a clear error."""
    done = cli("keys", "new", tmp_path / "nowhere" / "keys.json")
    assert done.code == 1
    assert "nowhere" in done.err and "Traceback" not in done.err
