"""Deployments: reading them, what they must name, and their options as SQL."""

import jsonschema
import pytest

from flink_masking.deployment.model import Deployment, with_clause
from flink_masking.deployment.sql_text import quoted
from flink_masking.errors import InputError, JobError

TEXT = """\
source: {connector: kafka, topic: it's raw, "properties.bootstrap.servers": "b:9092"}
sinks:
  view: {connector: filesystem, path: "file:///o'ut", sink.rolling-policy.file-size: 128MB, sink.parallelism: 2, lookup: true}
  audit: {connector: print, format: json}
  quarantine: {connector: blackhole}
keys: env://KEYS
flink: {parallelism.default: 4, pipeline.object-reuse: true, name: x}
"""


@pytest.fixture
def read(tmp_path):
    """Read a deployment from text (or bytes)."""

    def read(text):
        path = tmp_path / "deployment.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Deployment.read(path)

    return read


def test_a_deployment_is_read_as_written(read):
    """Source, sinks, keys and settings come from the file; settings are text, booleans as Flink writes them."""
    found = read(TEXT)
    assert found.keys == "env://KEYS" and set(found.sinks) == {"view", "audit", "quarantine"}
    assert found.settings() == {"parallelism.default": "4", "pipeline.object-reuse": "true", "name": "x"}
    assert read(b"\xef\xbb\xbf" + TEXT.encode()) == found
    assert read("source: {}\nsinks: {}\nkeys: k\n").settings() == {}


def test_options_are_quoted_for_sql(read):
    """Names and values are SQL literals, quotes doubled; the format is raw where the connector needs one and none is given."""
    found = read(TEXT)
    source, view = with_clause(found.source), with_clause(found.sinks["view"])
    assert "'topic' = 'it''s raw'" in source and "'format' = 'raw'" in source
    assert "'path' = 'file:///o''ut'" in view and "'sink.parallelism' = '2'" in view and "'lookup' = 'true'" in view
    assert with_clause(found.sinks["audit"]) == "'connector' = 'print', 'format' = 'json'"
    evil = with_clause(read("source: {\"a' = 'b', 'c\": \"x') --\"}\nsinks: {}\nkeys: k\n").source)
    assert "'a'' = ''b'', ''c' = 'x'') --'" in evil


def test_names_are_quoted_for_sql():
    """A name is an identifier in backticks, its own doubled."""
    assert quoted("plain") == "`plain`" and quoted("a`b") == "`a``b`"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("source: {connector: kafka", ":1:", "broken YAML"),
        ("source: {}\nsinks:\n\taudit: {}\n", ":3:1:", "broken YAML"),
        ("keys: [\n  'a\n", ":2:3:", "broken YAML"),
        ("keys: \x00", ":1:7:", "a character that YAML does not allow"),
        ("keys: a\nkeys: b\n", ":2:1:", "the key 'keys' is a duplicate"),
        (b"keys: \xff\xfe\xfa", "", "not UTF-8"),
        ("", ":1:1:", "the deployment is empty"),
        ("- a\n", ":1:1:", "the deployment' must be keys with values"),
        ("source: {}\nkeys: k\n", ":1:1:", "'sinks' is missing"),
        ("source: {}\nsinks: {}\nkeys: k\nsink: {}\n", ":4:1:", "unknown key 'sink'. Hint: did you mean 'sinks'?"),
        ("source: {}\nsinks: {audit: print}\nkeys: k\n", ":2:16:", "'audit' must be keys with values, not text"),
        ("source: {a: {b: c}}\nsinks: {}\nkeys: k\n", ":1:13:", "'a' must be text, a number, or true or false, not keys with values"),
        ("source: {a: }\nsinks: {}\nkeys: k\n", ":1:", "'a' must be text, a number, or true or false, not nothing"),
        ("source: {}\nsinks: {}\nkeys: 7\n", ":3:7:", "'keys' must be text, not a whole number"),
        ("source: {}\nsinks: {}\nkeys: k\ntransport: {tls: true}\n", ":4:13:", "unknown key 'tls'"),
        ("source: {}\nsinks: {a: {b: '${env:NOT_SET_AT_ALL}'}}\nkeys: k\n", ":2:16:", "sinks.a.b: the environment variable NOT_SET_AT_ALL"),
        ("source: {}\nsinks: {}\nkeys: k\nvault: postgresql://me:secret@host/db\n", ":4:8:", "vault: "),
        ("source: {}\nsinks: {}\nkeys: k\nregistry: {url: 'https://r', token: SECRET}\n", ":4:37:",
         "registry.token: it stands here in clear"),
        ("source: {}\nsinks: {}\nkeys: k\nregistry: {url: 'https://me:pw@r'}\n", ":4:17:", "registry.url: the address holds a login"),
        ("source: {}\nsinks: {}\nkeys: k\nregistry: {url: 'https://r', usr: me}\n", ":4:30:",
         "unknown key 'usr'. Hint: did you mean 'user'?"),
        ("source: {}\nsinks: {}\nkeys: k\nregistry: {api: glue, url: 'https://r'}\n", ":4:17:", "'api' has no such choice"),
        ("source: {}\nsinks: {}\nkeys: k\ntransport: {require_tls: true}\nregistry: {url: 'http://r.example'}\n", ":4:26:",
         "registry: http://r.example without TLS"),
    ],
)
def test_a_faulty_file_is_named_with_its_place(read, tmp_path, text, place, said):
    """What cannot be used is an InputError with the file, line and column, and a hint."""
    with pytest.raises(InputError) as caught:
        read(text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'deployment.yaml'}{place}") and said in message and " Hint: " in message
    assert "\n" not in message


def test_values_do_not_stand_in_errors(read):
    """Connector options hold passwords: an error about one never shows it."""
    with pytest.raises(InputError) as caught:
        read("source: {password: [SECRET]}\nsinks: {}\nkeys: [SECRET]\n")
    assert "SECRET" not in str(caught.value) and caught.value.__cause__ is None


def test_a_missing_file_is_a_clear_error(tmp_path):
    """A file that is not there, or is a directory, is named."""
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(InputError, match=r"cannot be read .*Hint: "):
            Deployment.read(path)


def test_sinks_must_match_the_views(read):
    """A sink that is missing, misspelt or for nothing is a JobError that says so; all others are fine."""
    found = read(TEXT)
    found.require(["view", "audit", "quarantine"])
    with pytest.raises(JobError, match=r"no sink for other, third\. Hint: add sinks\.other"):
        found.require(["view", "third", "audit", "quarantine", "other"])
    with pytest.raises(JobError, match=r"a sink view that .*Hint: did you mean views\?"):
        found.require(["views", "audit", "quarantine"])
    with pytest.raises(JobError, match=r"a sink view that .*Hint: sinks are named after"):
        found.require(["audit", "quarantine"])


def test_editors_know_the_deployment():
    """The JSON Schema takes a deployment with a registry, and refuses a key that there is not."""
    schema = Deployment.model_json_schema()
    body = {"source": {}, "sinks": {}, "keys": "k", "registry": {"url": "https://r", "timeout": "5s"}, "registry_patience": "1min"}
    jsonschema.Draft202012Validator(schema).validate(body)
    assert not jsonschema.Draft202012Validator(schema).is_valid({**body, "registry": {"address": "https://r"}})
    assert not jsonschema.Draft202012Validator(schema).is_valid({**body, "registry_patience": 5})
