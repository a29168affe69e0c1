"""A broker behind SCRAM over TLS and mutual TLS with access control, and what its clients need to reach it."""

import json
import os
import sys
from pathlib import Path

import yaml
from broker import Broker
from certificates import Authority
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from waiting import CLIENT_S, Finished, run

from flink_masking.java import java_home

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
SHADED = "org.apache.flink.kafka.shaded."
POLICY = """\
version: 1
stream: orders
fields: {customer: {class: identifier}, amount: {class: measure}}
isolation: strict
segments:
  analytics: {view: masked, rules: {customer: {technique: pseudonym, domain: analytics}, amount: keep}}
  partners: {view: masked, rules: {customer: {technique: pseudonym, domain: partners}, "*": drop}}
"""
PRINCIPALS = "job: {job}\nsegments: {{analytics: User:analyst, partners: User:partner}}\nquarantine: User:officer\n"
USERS = ("admin", "job", "analyst", "partner", "officer", "stranger")


_COMMANDS = str(Path(__file__).with_name("several_commands.py"))


class Secured:
    """The broker with its users, its certificates and a folder for files of tests.

    Attributes:
        broker: listeners SCRAM (SASL_SSL) and MTLS (SSL, certificate required); PLAINTEXT is the super user's.
        folder: policies, deployments, certificates.
        passwords: by user.
        authority: made all certificates.
    """

    def __init__(self, folder: Path) -> None:
        """Not started yet."""
        self.folder = folder
        self.authority = Authority(folder)
        self.passwords = {user: f"pw-{user}-{os.urandom(8).hex()}" for user in USERS}
        self.broker = Broker(folder / "broker", {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:admin",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.authority.certificate("broker", server=True)),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.path),
            "listener.name.mtls.ssl.client.auth": "required",
            "listener.name.stale.ssl.keystore.type": "PEM",
            "listener.name.stale.ssl.keystore.location": str(self.authority.certificate("stale", server=True, ended=True)),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.scram.scram-sha-512.sasl.jaas.config": f"{SCRAM} required;",
        }, {"SCRAM": "SASL_SSL", "MTLS": "SSL", "STALE": "SSL"})  # fmt: skip

    def begin(self) -> None:
        """Make the users and topics."""
        credentials = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        changes = [UserScramCredentialUpsertion(user, credentials, password.encode()) for user, password in self.passwords.items()]
        admin = self.broker.admin()  # held: a client that is forgotten ends what it has begun
        for done in admin.alter_user_scram_credentials(changes).values():
            done.result(CLIENT_S)
        for topic in ("raw", "analytics", "partners", "audit", "quarantine"):
            self.broker.topic(topic)
        (self.folder / "policy.yaml").write_text(POLICY)

    def client(self, user: str, password: str | None = None) -> dict[str, str]:
        """Settings of librdkafka for a user."""
        return {"bootstrap.servers": self.broker.address("SCRAM"), "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": user, "sasl.password": password or self.passwords[user], "ssl.ca.location": str(self.authority.path)}

    def admin(self, user: str) -> AdminClient:
        """A client for administration under a user's name."""
        return AdminClient({**self.client(user), "log_level": 0})

    def java(self, user: str, module: str = SHADED + SCRAM, password: str | None = None) -> dict[str, str]:
        """Properties of the Java clients for a user."""
        secret = password or self.passwords[user]
        return {"bootstrap.servers": self.broker.address("SCRAM"), "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.jaas.config": f'{module} required username="{user}" password="{secret}";',
                "ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.authority.path)}

    def mutual(self, certificate: Path, listener: str = "MTLS") -> dict[str, str]:
        """Properties of the Java clients for a certificate."""
        return {"bootstrap.servers": self.broker.address(listener), "security.protocol": "SSL",
                "ssl.keystore.type": "PEM", "ssl.keystore.location": str(certificate),
                "ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.authority.path)}

    def deployment(self, name: str, properties: dict[str, str], keys: str = "env://NONE") -> Path:
        """A deployment of all topics under one identity."""
        common = {"connector": "kafka", **{f"properties.{key}": value for key, value in properties.items()}}
        body = {
            "source": {**common, "topic": "raw", "properties.group.id": f"{name}-group", "scan.startup.mode": "earliest-offset",
                       "scan.bounded.mode": "latest-offset"},
            "sinks": {sink: {**common, "topic": sink, "sink.transactional-id-prefix": f"orders-{sink}"}
                      for sink in ("analytics", "partners", "audit", "quarantine")},
            "keys": keys,
            "flink": {"parallelism.default": 1, "execution.checkpointing.interval": "2s"},
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(body))
        return path

    def principals(self, job: str) -> Path:
        """The principals with one for the job."""
        path = self.folder / f"principals-{job.partition(':')[2].replace('=', '-')}.yaml"
        path.write_text(PRINCIPALS.format(job=f"'{job}'"))
        return path

    def run(self, *arguments: object, environment: dict[str, str] | None = None) -> Finished:
        """Run a Python process to its end, in a process group that is gone afterwards."""
        variables = {**os.environ, "JAVA_HOME": str(java_home()), "FLINK_LOG_DIR": str(self.folder), **(environment or {})}
        return run([sys.executable, *arguments], cwd=self.folder, env=variables)

    def acl(self, job: str, deployment: Path) -> list[str]:
        """The command that looks after access, for a principal of the job."""
        return ["acl", str(self.folder / "policy.yaml"), str(deployment), f"--principals={self.principals(job)}"]

    def commands(self, *commands: list[str]) -> list[Finished]:
        """Run ``flink-masking`` with each list of arguments, all in one process, which starts Java once."""
        done = self.run(_COMMANDS, json.dumps(commands))
        assert done.code == 0, done.err
        return [Finished(*found) for found in json.loads(done.out)]

    def leaks(self, text: str) -> list[str]:
        """The users whose password stands in a text, and whether a private key does."""
        keys = ["private key"] if "PRIVATE KEY" in text else []
        return [user for user, password in self.passwords.items() if password in text] + keys
