"""Opens vaults of a PostgreSQL server that listens beyond loopback, in a network namespace of its own; prints what came of each as JSON.

    unshare --net python tls_in_namespace.py FOLDER
"""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "kafka"))

from certificates import Authority
from postgres_server import PASSWORD, PostgresServer, _account

from flink_masking.errors import VaultError
from flink_masking.vault.providers import open_vault

HOST = "10.99.0.1"


def main(folder: Path) -> None:
    """Start the server with TLS and try one address after the other."""
    for command in (["link", "set", "lo", "up"], ["address", "add", f"{HOST}/32", "dev", "lo"]):
        subprocess.run(["ip", *command], check=True)
    certificate = Authority(folder).certificate("server", server=True)
    (folder / "hba").write_text("host all all all scram-sha-256\n")
    account = _account()
    for path in (folder, certificate, folder / "hba"):
        os.chown(path, account["user"], account["group"])
        path.chmod(0o700 if path.is_dir() else 0o600)
    settings = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(certificate), "hba_file": str(folder / "hba")}
    found = {}
    with PostgresServer(HOST, **settings) as server:
        bare = server.database().replace(f":{PASSWORD}@", "@")
        database = bare.rpartition("/")[2]
        (folder / "passfile").write_text(f"*:*:*:*:{PASSWORD}\n")
        (folder / "passfile").chmod(0o600)
        (folder / "secret").write_text(PASSWORD + "\n")
        (folder / "whole").write_text(server.uri(database) + "?sslmode=require\n")
        (folder / "services").write_text(f"[masking]\nhost={HOST}\nport={server.port}\ndbname={database}\nuser=owner\nsslmode=disable\n")
        os.environ |= {"PGPASSFILE": str(folder / "passfile"), "PGSERVICEFILE": str(folder / "services"), "VAULT_SECRET": PASSWORD}
        addresses = {
            "require": f"{bare}?sslmode=require",
            "verify-full of another authority": f"{bare}?sslmode=verify-full&sslrootcert=/etc/ssl/none.pem",
            "default": bare,
            "disable": f"{bare}?sslmode=disable",
            "service without": "postgresql://?service=masking",
            "service with": "postgresql://?service=masking&sslmode=require",
            "password of a file": bare.replace("@", f":${{file:{folder}/secret}}@") + "?sslmode=require&passfile=/dev/null",
            "password of a variable": f"{bare}?sslmode=require&passfile=/dev/null&password=${{env:VAULT_SECRET}}",
            "whole address": f"${{file:{folder}/whole}}",
            "no such file": bare.replace("@", ":${file:/no/such/file}@"),
        }
        for required in (True, False):
            for name, address in addresses.items():
                found[f"{name}, {'required' if required else 'free'}"] = _opened(address, required)
        os.environ |= {"PGHOST": HOST, "PGPORT": str(server.port), "PGUSER": "owner", "PGSSLMODE": "disable"}
        for required in (True, False):
            found[f"environment, {'required' if required else 'free'}"] = _opened(f"postgresql:///{database}", required)
    print(json.dumps(found))


def _opened(address: str, required: bool) -> str:
    try:
        open_vault(address, patience=1, require_tls=required).close()
    except VaultError as error:
        return str(error)
    return "opened"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
