"""Prints tests/fixtures/arima_orders.json: many series, many orders, and what the peers make of each.

    pip install statsforecast==2.1.1 statsmodels==0.15.0  # and numpy 2.4
    python arima_orders.py > ../tests/fixtures/arima_orders.json

Each series is drawn from a kind of process with coefficients, length and size drawn as well; each is fitted by half of
the orders of its list in turn, whether they suit it or not. None is left out, before or after. How the peers
are run stands in `crates/bench/peers/arima_peers.py`. About half an hour on one core.
"""

import json
import multiprocessing
import os
import sys
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402

sys.path.append(os.path.join(os.path.dirname(__file__), "../../bench/peers"))

from arima_peers import best_fit  # noqa: E402

HORIZON = 24

# (p, d, q), and whether there is a constant.
PLAIN = [
    ((1, 0, 0), True), ((0, 1, 1), False), ((2, 0, 0), True), ((1, 1, 1), True),
    ((0, 0, 1), True), ((2, 1, 2), False), ((1, 0, 1), True), ((0, 2, 1), False),
    ((3, 0, 0), True), ((1, 1, 0), False), ((2, 0, 2), True), ((0, 1, 1), True),
    ((1, 0, 2), True), ((3, 1, 1), False), ((0, 2, 2), False), ((4, 1, 0), False),
]
# (p, d, q), (P, D, Q), and whether there is a constant.
SEASONAL = [
    ((0, 1, 1), (0, 1, 1), False), ((1, 0, 0), (0, 1, 1), False), ((1, 0, 0), (1, 0, 0), True),
    ((1, 0, 1), (0, 1, 1), True), ((2, 1, 0), (0, 1, 1), False), ((1, 0, 1), (1, 0, 0), True),
    ((0, 0, 1), (0, 1, 1), True), ((2, 0, 0), (1, 1, 0), True), ((1, 1, 1), (1, 0, 1), False),
    ((0, 1, 2), (1, 0, 0), False), ((1, 0, 0), (2, 0, 0), True), ((2, 0, 1), (0, 1, 0), True),
    ((1, 1, 1), (0, 1, 1), False), ((0, 1, 1), (1, 1, 1), False),
]


def lags(random, count, size):
    """Coefficients of a stationary autoregression, from partial autocorrelations."""
    coefficients = np.zeros(0)
    for partial in random.uniform(-size, size, count):
        coefficients = np.append(coefficients - partial * coefficients[::-1], partial)
    return coefficients


def process(random, count, ar=(), ma=(), noise=None):
    """An ARMA process from shocks of variance about 1, without its first two hundred steps."""
    shocks = random.standard_normal(count + 200) if noise is None else noise(count + 200)
    values = np.zeros(count + 200)
    for at in range(len(values)):
        told = sum(a * values[at - lag] for lag, a in enumerate(ar, 1) if at >= lag)
        echo = sum(b * shocks[at - lag] for lag, b in enumerate(ma, 1) if at >= lag)
        values[at] = told + echo + shocks[at]
    return values[200:]


def every(season, value):
    """A lag of a whole season."""
    return np.append(np.zeros(season - 1), value)


def plain(kind, random, count):
    """A series without a season: its level lies from a few to some twenty deviations over 0."""
    level = random.uniform(4, 25)
    steps = np.arange(count)
    if kind == "ar":
        return level + process(random, count, ar=lags(random, random.integers(1, 4), 0.9))
    if kind == "ma":
        return level + process(random, count, ma=-lags(random, random.integers(1, 3), 0.9))
    if kind == "arma":
        return level + process(random, count, lags(random, 2, 0.9), -lags(random, 2, 0.8))
    if kind == "near-walk":
        return level + process(random, count, ar=[random.uniform(0.95, 0.995)])
    if kind == "walk":
        return 3 * level + np.cumsum(random.uniform(-0.1, 0.3) + process(random, count))
    if kind == "smooth walk":
        return 3 * level + np.cumsum(process(random, count, [], [-random.uniform(0.5, 0.95)]))
    if kind == "bent":
        slope = np.cumsum(0.05 * random.standard_normal(count))
        return 5 * level + np.cumsum(slope) + random.standard_normal(count)
    if kind == "line":
        return level + random.uniform(0.01, 0.1) * steps + process(random, count, [0.4])
    if kind == "heavy tails":
        return level + process(random, count, [0.6], [0.3], lambda n: random.standard_t(3, n))
    if kind == "counts":
        rate = np.exp(0.5 * process(random, count, [0.8], noise=lambda n: 0.6 * random.standard_normal(n)))
        return random.poisson(6 * rate).astype(float)
    if kind == "shift":
        return level + process(random, count, [0.5]) + np.where(steps > 0.6 * count, 6.0, 0.0)
    if kind == "wave":
        return level + 3 * np.sin(2 * np.pi * steps / random.uniform(8, 30)) + process(random, count, [0.5])
    raise ValueError(kind)


def seasonal(kind, random, count, season):
    """A series with a season."""
    level = random.uniform(6, 25)
    steps = np.arange(count)
    shape = random.standard_normal(season)
    if kind == "seasonal ar":
        ar = np.append(every(season, random.uniform(0.4, 0.9)), 0.0)
        ar[0] = random.uniform(-0.3, 0.6)
        ar[season] = -ar[0] * ar[season - 1]
        return level + process(random, count, ar)
    if kind == "airline":
        ma = np.append(every(season, -random.uniform(0.3, 0.8)), 0.0)
        ma[0] = -random.uniform(0.2, 0.8)
        ma[season] = ma[0] * ma[season - 1]
        change = process(random, count, [], ma)
        values = np.zeros(count + season + 1)
        values[: season + 1] = 4 * np.append(shape, shape[0])
        for at in range(season + 1, len(values)):
            values[at] = values[at - 1] + values[at - season] - values[at - season - 1] + 0.3 * change[at - season - 1]
        return 3 * level + values[season + 1 :]
    if kind == "shape":
        return level + 3 * shape[steps % season] + process(random, count, [random.uniform(0.2, 0.9)])
    if kind == "growing":
        return (level + 0.03 * steps) * (1 + 0.2 * shape[steps % season]) + process(random, count, [0.6])
    if kind == "day":
        turn = 1 - 0.7 * np.cos(2 * np.pi * steps / season)
        return level * turn * (1 + 0.08 * process(random, count, [0.5]))
    if kind == "two seasons":
        weeks = np.where(steps // season % 7 >= 5, 0.7, 1.0)
        return (level + 4 * shape[steps % season]) * weeks + process(random, count, [0.7])
    if kind == "slow shape":
        turns = np.cumsum(0.15 * random.standard_normal((count // season + 1, season)), axis=0)
        return level + 2 * (shape + turns).ravel()[:count] + process(random, count, [0.5])
    if kind == "noise":
        return level + process(random, count)
    raise ValueError(kind)


def with_gaps(random, values, from_step):
    """Some runs of values missing, none of them before a step."""
    left = values.copy()
    for start in random.choice(np.arange(from_step, len(values) - 8), 6, replace=False):
        left[start : start + random.integers(1, 6)] = np.nan
    return left


PLAIN_KINDS = [
    "ar", "ma", "arma", "near-walk", "walk", "smooth walk", "bent", "line", "heavy tails", "counts", "shift", "wave",
]
SEASONAL_KINDS = ["seasonal ar", "airline", "shape", "growing", "day", "two seasons", "slow shape", "noise"]


def all_series():
    """Name, values, season."""
    for turn in range(2):
        for number, kind in enumerate(PLAIN_KINDS):
            random = np.random.default_rng([turn, number, 1])
            values = plain(kind, random, int(random.integers(70, 260)))
            yield f"{kind} {turn + 1}", values, 1, random
        for number, kind in enumerate(SEASONAL_KINDS):
            random = np.random.default_rng([turn, number, 2])
            season = [7, 12, 24][(number + turn) % 3]
            values = seasonal(kind, random, int(season * random.integers(9, 16)), season)
            yield f"{kind} {turn + 1}", values, season, random
    for number, kind in enumerate(["arma", "walk"]):
        random = np.random.default_rng([9, number, 1])
        yield f"{kind} with gaps", with_gaps(random, plain(kind, random, 200), 20), 1, random
    for number, kind in enumerate(["airline", "shape"]):
        random = np.random.default_rng([9, number, 2])
        yield f"{kind} with gaps", with_gaps(random, seasonal(kind, random, 180, 12), 30), 12, random


def jobs():
    """The series, and every fit that is wanted of them."""
    series, fits = [], []
    plain_turn = seasonal_turn = 0
    for name, values, season, random in all_series():
        unit = 10 ** random.uniform(0, 2)
        digits = 2 if unit < 10 else 1
        values = np.round(np.maximum(values, 0.0) * unit, digits)
        series.append({"name": name, "season": season, "values": [None if np.isnan(v) else v for v in values.tolist()]})
        if season == 1:
            wanted = [PLAIN[(plain_turn + at) % len(PLAIN)] for at in range(8)]
            plain_turn += 7
            fits += [(name, values, 1, order, (0, 0, 0), constant) for order, constant in wanted]
        else:
            wanted = [SEASONAL[(seasonal_turn + at) % len(SEASONAL)] for at in range(7)]
            seasonal_turn += 6
            fits += [(name, values, season, *order) for order in wanted]
    return series, fits


def fit(job):
    name, values, season, order, of_season, constant = job
    found = best_fit(values, order, of_season, season, constant, HORIZON)
    print(name, order, of_season, found["reference"], found["start"], file=sys.stderr, flush=True)
    short = found["statsforecast"] and found["log_likelihood"] - found["statsforecast"]["log_likelihood"]
    return {
        "series": name,
        "order": order,
        "seasonal": of_season,
        "constant": constant,
        "reference": found["reference"],
        "start": found["start"],
        "log_likelihood": float(f"{found['log_likelihood']:.8g}"),
        # How far statsforecast alone ends below it; null where it fails.
        "statsforecast_short": None if short is None else round(float(short), 3),
        "forecast": [float(f"{value:.6g}") for value in found["forecast"]],
    }, found


def main():
    series, wanted = jobs()
    with multiprocessing.Pool(int(os.environ.get("PROCESSES", "2"))) as pool:
        done = pool.map(fit, wanted, chunksize=1)
    lines = lambda entries: ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    print('{"series":[\n' + lines(series) + '\n],"fits":[\n' + lines(entry for entry, _ in done) + "\n]}")
    alone = [found for _, found in done if found["statsforecast"]]
    for found in alone:
        best, theirs = np.array(found["forecast"]), np.array(found["statsforecast"]["forecast"])
        found["apart"] = np.abs(best - theirs).sum() / np.abs(best).sum()
    early = sum(f["log_likelihood"] - f["statsforecast"]["log_likelihood"] > 0.1 for f in alone)
    near = sum(f["apart"] <= 0.01 for f in alone)
    print(
        f"{len(done)} fits; statsforecast fails at {len(done) - len(alone)}, ends over 0.1 early at {early}, "
        f"is within 1 % of the reference at {near}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
