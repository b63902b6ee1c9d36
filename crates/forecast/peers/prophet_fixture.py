"""Prints `tests/fixtures/prophet.json`: what the package `prophet` makes of made-up series.

    pip install prophet==1.5.0 holidays==0.109
    python peers/prophet_fixture.py > tests/fixtures/prophet.json

Per case: the series, how it is to be fitted, and the package's forecast: the point and its components, the width of its 80 %
interval (as a mean over the horizon), and the negative logarithm of the posterior at the parameters that the package found
(constants left out), by which a search that stopped early is told from a different model.
"""
import json
import logging

import numpy as np
import pandas as pd
import prophet
from prophet import Prophet

logging.disable(logging.WARNING)
SAMPLES = 4000


def clock(hours, steps, start="2025-01-06"):
    return pd.date_range(start, periods=steps, freq=f"{hours}h")


def made(times, rng, turn=0.6, kinks=(0.3, -0.5), scale=1000.0, noise=0.05, multiplied=False):
    """A trend that turns, a day, a week, noise."""
    t = np.arange(len(times)) / len(times)
    trend = 1 + kinks[0] * t + kinks[1] * np.maximum(t - turn, 0)
    hours = times.hour.values + 24.0 * times.dayofweek.values
    day = 0.3 * np.sin(2 * np.pi * (hours - 9) / 24) + 0.1 * np.cos(4 * np.pi * hours / 24)
    week = 0.15 * np.sin(2 * np.pi * hours / 168)
    season = trend * (1 + day + week) if multiplied else trend + day + week
    return scale * np.maximum(season + noise * rng.standard_normal(len(times)), 0)


def cases():
    rng = np.random.default_rng(20260101)
    times = clock(1, 1344 + 48)
    yield "hours", times, made(times, rng), 48, {}, {}
    yield "hours multiplied", times, made(times, rng, multiplied=True), 48, {"seasonality_mode": "multiplicative"}, {}
    y = made(times, rng)
    y[rng.random(len(y)) < 0.3] = np.nan
    yield "a third missing", times, y, 48, {}, {}
    yield "bendy", times, made(times, rng, turn=0.4, kinks=(1.5, -3.0)), 48, {"changepoint_prior_scale": 0.5, "n_changepoints": 15}, {}
    yield "flat", times, made(times, rng, kinks=(0.0, 0.0)), 48, {"growth": "flat"}, {}
    t = np.arange(len(times)) / len(times)
    y = 1000 / (1 + np.exp(-8 * (t - 0.5))) + 120 * np.sin(2 * np.pi * times.hour.values / 24) + 25 * rng.standard_normal(len(times)) + 200
    yield "logistic", times, y, 48, {"growth": "logistic"}, {"cap": 1300.0, "floor": 100.0}
    spend = np.where(rng.random(len(times)) < 0.1, rng.uniform(1, 5, len(times)), 0.0)
    y = made(times, rng) + 80 * spend
    yield "regressor", times, y, 48, {}, {"regressors": {"spend": spend}}
    times = clock(24, 1200 + 60, "2021-01-01")
    y = made(times, rng, kinks=(0.8, -0.4))
    year = 1 + 0.2 * np.sin(2 * np.pi * times.dayofyear.values / 365.25)
    y = y * year
    yield "days with a year", times, y, 60, {}, {}
    import holidays

    days = holidays.country_holidays("US", years=range(2020, 2026))
    off = np.array([day.date() in days for day in times])
    yield "days with holidays", times, np.where(off, 0.6 * y, y), 60, {}, {"country": "US"}
    window = np.array([day.month == 11 and 25 <= day.day <= 28 for day in times])
    sale = pd.DataFrame({"holiday": "sale", "ds": [pd.Timestamp(f"{x}-11-27") for x in range(2020, 2026)], "lower_window": -2, "upper_window": 1})
    yield "days with a window", times, np.where(window, 1.5 * y, y), 60, {"holidays": sale}, {"window": ["sale", 2, 1]}
    times = clock(1, 60)
    yield "two days", times, made(times, rng), 12, {}, {}


def misfit(m):
    """The negative logarithm of the posterior at the optimum, without constants."""
    h, p = m.history, m.params
    features, _, components, _ = m.make_all_seasonality_features(h)
    k, mm, sigma = (np.ravel(p[key])[0] for key in ("k", "m", "sigma_obs"))
    delta, beta = p["delta"][0], p["beta"][0]
    t, s = h["t"].values, m.changepoints_t
    if m.growth == "linear":
        trend = m.piecewise_linear(t, delta, k, mm, s)
    elif m.growth == "logistic":
        trend = m.piecewise_logistic(t, h["cap_scaled"].values, delta, k, mm, s)
    else:
        trend = m.flat_trend(t, mm)
    x = features.values
    multiplied = x @ (beta * components["multiplicative_terms"].values)
    added = x @ (beta * components["additive_terms"].values)
    error = h["y_scaled"].values - trend * (1 + multiplied) - added
    prior = np.array([10.0] * x.shape[1])
    flat = m.growth == "flat"
    return float(
        len(t) * np.log(sigma) + (error @ error) / (2 * sigma**2) + 2 * sigma**2 + mm**2 / 50
        + (0 if flat else k**2 / 50 + np.abs(delta).sum() / m.changepoint_prior_scale) + (beta**2 / (2 * prior**2)).sum()
    )


out = []
for name, times, y, horizon, settings, extra in cases():
    frame = pd.DataFrame({"ds": times, "y": np.round(y, 3)})
    for key in ("cap", "floor"):
        if key in extra:
            frame[key] = extra[key]
    for key, values in extra.get("regressors", {}).items():
        frame[key] = np.round(values, 3)
    history, future = frame[:-horizon], frame[-horizon:].drop(columns="y")
    np.random.seed(1)
    m = Prophet(interval_width=0.8, uncertainty_samples=SAMPLES, **settings)
    if "country" in extra:
        m.add_country_holidays(extra["country"])
    for key in extra.get("regressors", {}):
        m.add_regressor(key)
    m.fit(history)
    f = m.predict(future)
    multiplied = settings.get("seasonality_mode") == "multiplicative"
    parts = {}
    for part in ("daily", "weekly", "yearly", "holidays", "extra_regressors_additive"):
        if part in f:
            parts[part] = np.round(f[part] * (f["trend"] if multiplied else 1), 3).tolist()
    stated = {key: value for key, value in settings.items() if key != "holidays"}
    out.append({
        "name": name,
        "start": f"{times[0]:%Y-%m-%dT%H:%M:%SZ}",
        "step_hours": int((times[1] - times[0]).total_seconds() // 3600),
        "values": [None if np.isnan(v) else v for v in history["y"].tolist()],
        "settings": stated,
        **{key: value for key, value in extra.items() if key != "regressors"},
        "regressors": {key: frame[key].tolist() for key in extra.get("regressors", {})},
        "yhat": np.round(f["yhat"], 3).tolist(),
        "trend": np.round(f["trend"], 3).tolist(),
        "parts": parts,
        "width": round(float((f["yhat_upper"] - f["yhat_lower"]).mean()), 3),
        "misfit": round(misfit(m), 3),
    })
print(json.dumps({"made_by": f"prophet {prophet.__version__}, peers/prophet_fixture.py", "cases": out}, separators=(",", ":")))
