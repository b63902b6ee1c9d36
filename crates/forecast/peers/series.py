"""Series that the other scripts forecast: made up, and the air passengers of Box and Jenkins (1970)."""

import numpy as np
from statsforecast.utils import AirPassengers


def all_series():
    """Name, values, and the steps of a day and of a week."""
    random = np.random.default_rng(20)
    step = np.arange(672)
    day = 1 - 0.6 * np.cos(2 * np.pi * step / 24)
    week = np.where(step // 24 % 7 >= 5, 0.6, 1.1)
    shop = 200 * day * week * (1 + step / 6720) * (1 + 0.05 * random.standard_normal(672))
    night = np.maximum(0, 80 * (day - 0.8) * week + 8 * random.standard_normal(672))
    walk = 300 + np.cumsum(1 + 4 * random.standard_normal(160))
    level = 50 + 3 * random.standard_normal(90)
    return [
        ("air passengers", AirPassengers.astype(float), 12, 0),
        ("shop", shop.round(1), 24, 168),
        ("night", night.round(1), 24, 168),
        ("walk", walk.round(1), 0, 0),
        ("level", level.round(1), 0, 0),
    ]
