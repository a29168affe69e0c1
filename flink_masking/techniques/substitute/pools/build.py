"""Makes the pools of fictitious names again: ``python -m flink_masking.techniques.substitute.pools.build``. Needs faker; nothing else does.

Another version of faker gives other pools, and with them other consistent substitutes: a change for a new release, told to its users.
"""

import json
import pathlib
import sys
from importlib import import_module, metadata

from flink_masking.techniques.substitute.pools import LOCALES

SEED = 20_240_315
SAMPLES, LARGEST = 6_000, 1_500


def usable(name: str) -> bool:
    """Whether an entry is short text that means the same in JSON, CSV and SQL."""
    return 1 < len(name) <= 40 and name.isprintable() and not set(name) & set("\"\\;,@")


def entries(names: list[str], most: int | None = None) -> list[str]:
    """Usable names, each once, in code point order."""
    return sorted({name.strip() for name in names if usable(name.strip())})[:most]


def build(locale: str) -> dict[str, object]:
    """The pools of a locale."""
    from faker import Faker

    fake = Faker(locale)
    fake.seed_instance(SEED)
    people = import_module(f"faker.providers.person.{locale}").Provider
    cities = import_module(f"faker.providers.address.{locale}").Provider.__dict__.get("cities")
    streets = list(dict.fromkeys(fake.street_name() for _ in range(SAMPLES)))[:LARGEST]
    return {
        "source": f"made with faker {metadata.version('faker')} (MIT licence), locale {locale}, seed {SEED}",
        "first": entries(list(people.first_names)),
        "last": entries(list(people.last_names)),
        "street": entries(streets),
        "city": entries(list(cities or list(dict.fromkeys(fake.city() for _ in range(SAMPLES)))[:LARGEST])),
    }


def main() -> None:
    """Write one file a locale beside this module."""
    for locale in LOCALES:
        path = pathlib.Path(__file__).with_name(f"{locale}.json")
        path.write_text(json.dumps(build(locale), ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", "utf-8")
        sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
