"""Releases of PyFlink, Beam and pyarrow that the patches were written for and tested with."""

KNOWN = {"PyFlink": ("2.3.0",), "Apache Beam": ("2.61.0",), "pyarrow": ("16.1.0",)}
"""The releases by the library's name. pyproject.toml pins PyFlink, which pins the two others from above."""


def installed() -> dict[str, str]:
    """The releases in this process."""
    import apache_beam.version
    import pyarrow
    import pyflink.version

    return {"PyFlink": pyflink.version.__version__, "Apache Beam": apache_beam.version.__version__, "pyarrow": pyarrow.__version__}


def unknown_release() -> str | None:
    """Why nothing may be patched here; None where all releases are known."""
    for name, release in installed().items():
        if release not in KNOWN[name]:
            return f"{name} {release} is not a release that the patches were tested with ({', '.join(KNOWN[name])})"
    return None
