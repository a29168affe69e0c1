"""A directory with identities, a trust file, a source of control documents and a deployment, made by the commands themselves."""

WORDS = "correct horse battery staple"
"""The passphrase of every identity."""


def identities(cli, place, *roles):
    """Make the identities of owners, and a trust file that gives them roles, signed by root.

    Args:
        cli: runs a command in `place`, the working directory.
        place: where `OWNER.key`, `words` (the passphrase) and `trust.json` are written.
        roles: ``role=owner``, besides ``root=root``.
    """
    words = place / "words"
    words.write_text(WORDS + "\n")
    words.chmod(0o600)
    named = ("root=root", *roles)
    for owner in dict.fromkeys(pair.partition("=")[2] for pair in named):
        done = cli("identity", "new", f"{owner}.key", "--owner", owner, "--passphrase-file", words)
        assert done.code == 0, done.err
    adds = [argument for pair in named for argument in ("--add", f"{pair}.key.pub")]
    done = cli("control", "trust", "new", "trust.json", *adds, *with_key("root"))
    assert done.code == 0, done.err


def deployment(place, sinks=(), *, more="", control=""):
    """Write a deployment with a source of control documents, an empty directory.

    Args:
        place: where ``deployment.yaml`` and ``control`` are written; key ring and trust file are named as there.
        sinks: names of views, written nowhere.
        more: other lines of the deployment.
        control: other options of its section control, ``, name: value``.
    """
    (place / "control").mkdir()
    nowhere = ", ".join(f"{name}: {{connector: blackhole}}" for name in sinks)
    (place / "deployment.yaml").write_text(f"""\
source: {{connector: datagen}}
sinks: {{{nowhere}}}
keys: file://{place}/keys.json
control: {{source: 'file://{place}/control', trust: trust.json{control}}}
{more}""")


def with_key(owner):
    """The options that sign."""
    return "--as", f"{owner}.key", "--passphrase-file", "words"
