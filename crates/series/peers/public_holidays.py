"""Prints `data/holidays.txt`: the public holidays of many countries, from the Python package `holidays`.

    pip install holidays==0.109
    python peers/public_holidays.py > data/holidays.txt

The package (MIT licence, kept by the Vacanza team at https://github.com/vacanza/holidays) follows the laws of each country; this
writes down the dates that it gives, which are facts. English names are taken where it has them.

The format, read by `src/holidays.rs`:

    # a remark
    =DE Germany                            a country, or with a dash one of its parts
    Christmas Day|1995:1225x46             a holiday: from 1995 on, on 25 December, in 46 years
    Good Friday|1995:0414 0405 0328        one date a year, from 1995 on; another year in between starts anew
    -Easter Monday|1995:0417               in a part of a country: not there, though in the country

A part of a country states only where it departs from the country.
"""
import re
import warnings

import holidays

FIRST, LAST = 1995, 2040
COUNTRIES = """AE AR AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IS IT JP KE KR
LT LU LV MT MX MY NG NL NO NZ PE PH PK PL PT RO RS SA SE SG SI SK TH TR TW UA US UY VN ZA""".split()
# Whose parts have holidays of their own that move demand as the country's do.
WITH_PARTS = "AU CA CH DE ES GB US".split()
# What says how a date was found, and not which holiday it is: "Eid al-Fitr (estimated)".
ASIDE = re.compile(r" \((estimated|substituted from [^)]*)\)")

warnings.simplefilter("ignore")


def entries(country, part=None):
    """Pairs of date and name."""
    known = holidays.country_holidays(country)
    language = "en_US" if "en_US" in (known.supported_languages or ()) else None
    found = holidays.country_holidays(country, subdiv=part, years=range(FIRST, LAST + 1), language=language)
    return {(day, ASIDE.sub("", name).strip()) for day in found for name in found.get_list(day) if FIRST <= day.year <= LAST}


def lines(pairs, mark=""):
    """One line per name."""
    names = {}
    for day, name in sorted(pairs):
        assert "|" not in name and "\n" not in name and not name.startswith(("=", "-", "#")), name
        names.setdefault(name, []).append(day)
    for name in sorted(names):
        words, left = [], names[name]
        while left:  # Holidays of more than one day take one turn per day.
            turn = {}
            for day in left:
                turn.setdefault(day.year, day)
            left = [day for day in left if turn[day.year] != day]
            before = None
            for year, day in turn.items():
                date = f"{day:%m%d}"
                if before is None or year != before + 1:
                    words.append([f"{year}:{date}", 1])
                elif words[-1][0].endswith(date):
                    words[-1][1] += 1
                else:
                    words.append([date, 1])
                before = year
        print(f"{mark}{name}|" + " ".join(date + (f"x{count}" if count > 1 else "") for date, count in words))


print(f"# Public holidays {FIRST}-{LAST}, from the Python package holidays {holidays.__version__} (MIT). Made by peers/public_holidays.py.")
for country in COUNTRIES:
    whole = entries(country)
    own_class = type(holidays.country_holidays(country)).__mro__[1]
    print(f"={country} " + re.sub(r"(?<=[a-z])(?=[A-Z])", " ", own_class.__name__))
    lines(whole)
    for part in sorted(holidays.country_holidays(country).subdivisions) if country in WITH_PARTS else []:
        own = entries(country, part)
        if own != whole:
            print(f"={country}-{part}")
            lines(own - whole)
            lines(whole - own, "-")
