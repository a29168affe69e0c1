"""Trips of taxis as CSV with a header, in the form of the records that New York published."""

import datetime
import random
from collections.abc import Iterator

COLUMNS = ("medallion", "hack_license", "pickup_datetime", "dropoff_datetime", "passenger_count", "trip_distance", "pickup_longitude",
           "pickup_latitude", "pickup_borough", "dropoff_borough", "payment_type", "fare_amount", "tip_amount", "total_amount")
_BOROUGHS = {"Manhattan": (-73.98, 40.75), "Brooklyn": (-73.95, 40.65), "Queens": (-73.82, 40.73), "Bronx": (-73.86, 40.85)}
_START = datetime.datetime(2024, 3, 15, 6)
_EACH = 20


def taxi_trips(people: int, seed: int) -> Iterator[bytes]:
    """Twenty trips a driver, mixed, over a day."""
    draw = random.Random(seed)
    drivers = [(f"{draw.randrange(10)}{draw.choice('ABCDEFGH')}{draw.randrange(100):02d}", 5_000_000 + draw.randrange(10**6))
               for _ in range(people)]
    yield ",".join(COLUMNS).encode()
    count = _EACH * people
    for number in range(count):
        medallion, driver = draw.choice(drivers)
        begin = _START + datetime.timedelta(seconds=int(number * 86_400 / count))
        miles = draw.uniform(0.5, 15)
        end = begin + datetime.timedelta(seconds=int(miles * draw.uniform(180, 360)))
        place, other = draw.choices(list(_BOROUGHS), (6, 2, 1, 1), k=2)
        longitude, latitude = (x + draw.uniform(-0.02, 0.02) for x in _BOROUGHS[place])
        fare, card = round(3 + 2.5 * miles, 2), draw.random() < 0.6
        tip = round(fare * draw.uniform(0.1, 0.3), 2) if card else 0.0
        yield (f"{medallion},{driver},{begin.isoformat()},{end.isoformat()},{draw.randrange(1, 5)},{miles:.2f},{longitude:.6f},"
               f"{latitude:.6f},{place},{other},{'CRD' if card else 'CSH'},{fare:.2f},{tip:.2f},{fare + tip:.2f}").encode()
