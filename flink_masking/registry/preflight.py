"""Checks before a job starts that its schema registry answers, lets it in, and speaks the API that is named."""

from flink_masking.errors import RegistryError
from flink_masking.registry.connection import Connection
from flink_masking.registry.options import RegistryOptions


def preflight(options: RegistryOptions) -> str:
    """Ask a registry for what it is.

    Args:
        options: of the deployment.

    Returns:
        What was found to be in order, a line.

    Raises:
        RegistryUnavailableError: it does not answer.
        RegistryError: it refuses the login, its certificate does not hold, or it has another API.
    """
    native = options.api == "apicurio"
    answer = Connection(options, options.command_patience).ask("GET", "/apis/registry/v3/system/info" if native else "/schemas/types")
    found = answer.json()
    if native and answer.status == 200 and isinstance(found, dict) and isinstance(found.get("version"), str):
        return f"registry: {options.shown} answers (Apicurio Registry {found['version'][:20]})"
    if not native and answer.status == 200 and isinstance(found, list):
        return f"registry: {options.shown} answers ({', '.join(sorted(str(kind)[:20] for kind in found))})"
    raise RegistryError(f"registry {options.shown}: no answer of the {options.api} API (HTTP {answer.status}). Hint: the path in "
                        "registry.url; Apicurio Registry has the Confluent API at /apis/ccompat/v7, and its own with api: apicurio")
