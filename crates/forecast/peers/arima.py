"""Prints the fixture that the ARIMA models are checked with: `python arima.py > ../tests/fixtures/arima.json`.

statsforecast 2.1.1 and statsmodels 0.15.0, numpy 2. Series are made up by a linear congruential
generator, but for the monthly airline passengers of Box and Jenkins (1970), and stand in the fixture,
`null` where a value is missing.

Each order is fitted by `statsforecast.models.ARIMA` (but for gaps and regressors) and by `SARIMAX` of
statsmodels, started from statsforecast's coefficients and from its own; the fit with the higher
likelihood is the reference, because either optimiser at times ends early. Its name stands beside it.
"""

import json
import warnings

import numpy as np
from statsforecast.models import ARIMA
from statsmodels.tsa.statespace.sarimax import SARIMAX

warnings.simplefilter("ignore")

AIR_PASSENGERS = [
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170,
    170, 158, 133, 114, 140, 145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180,
    193, 181, 183, 218, 230, 242, 209, 191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272, 237,
    211, 180, 201, 204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267, 269,
    270, 315, 364, 347, 312, 274, 237, 278, 284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271,
    306, 315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348, 363, 435,
    491, 505, 404, 359, 310, 337, 360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417,
    391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
]


def noise(count, seed):
    """Nearly normal numbers of variance 1: sums of twelve even ones."""
    state, numbers = seed, []
    for _ in range(count):
        total = 0.0
        for _ in range(12):
            state = (1103515245 * state + 12345) % 2**31
            total += state / 2**31
        numbers.append(total - 6.0)
    return numbers


def arma(ar, ma, count, seed):
    """A process of these lags, without its first hundred steps."""
    values, noises = [], noise(count + 100, seed)
    for at, shock in enumerate(noises):
        told = sum(a * values[at - lag] for lag, a in enumerate(ar, 1) if at >= lag)
        echo = sum(b * noises[at - lag] for lag, b in enumerate(ma, 1) if at >= lag)
        values.append(told + echo + shock)
    return np.array(values[100:])


def wave(count, season, height):
    """A triangle per season."""
    return np.array([height * abs(2.0 * (step % season) / season - 1.0) for step in range(count)])


def gaps(values, every, run):
    """Takes a run of values out every so often, but not in the first two seasons of 24."""
    left = values.copy()
    for at in range(50, len(values), every):
        left[at : at + run] = np.nan
    return left


def cases():
    """Name, series, order, seasonal order, season, constant, regressors (through the horizon)."""
    passengers = np.array(AIR_PASSENGERS, float)
    yield "airline", passengers, (0, 1, 1), (0, 1, 1), 12, False, []
    yield "passengers", passengers, (2, 1, 1), (0, 1, 0), 12, False, []
    yield "passengers-ar", passengers, (1, 0, 0), (1, 1, 0), 12, True, []
    yield "mean", 50 + arma([0.6], [0.4], 240, 1), (1, 0, 1), (0, 0, 0), 1, True, []
    yield "ar", 60 + 2 * arma([1.2, -0.5], [], 240, 2), (2, 0, 0), (0, 0, 0), 1, True, []
    yield "ma", 80 + 3 * arma([], [0.7, 0.3], 240, 3), (0, 0, 2), (0, 0, 0), 1, True, []
    walk = 100 + np.cumsum(0.3 + arma([0.5], [-0.3], 240, 4))
    yield "drift", walk, (1, 1, 1), (0, 0, 0), 1, True, []
    yield "walk", walk, (1, 1, 0), (0, 0, 0), 1, False, []
    twice = 500 + np.cumsum(np.cumsum(0.3 * arma([], [-0.5], 200, 5)))
    yield "twice", twice - twice.min() + 10, (0, 2, 1), (0, 0, 0), 1, False, []
    seasonal = arma([0.0] * 11 + [0.6], [], 300, 6) + 40
    yield "seasonal-ar", seasonal, (1, 0, 0), (1, 0, 0), 12, True, []
    day = 60 + wave(480, 24, 40.0)
    for step, change in enumerate(arma([0.6], [0.0] * 23 + [-0.5], 456, 7), 24):
        day[step] = day[step - 24] + change
    yield "day", day, (1, 0, 0), (0, 1, 1), 24, False, []
    yield "day-drift", day + 0.05 * np.arange(480), (1, 0, 1), (0, 1, 1), 24, True, []
    yield "gaps-mean", gaps(50 + arma([0.6], [0.4], 240, 8), 17, 3), (1, 0, 1), (0, 0, 0), 1, True, []
    yield "gaps-walk", gaps(walk, 23, 4), (0, 1, 1), (0, 0, 0), 1, False, []
    yield "gaps-day", gaps(day, 31, 5), (1, 0, 0), (0, 1, 1), 24, False, []
    event = [1.0 if step % 29 in (3, 4, 5) else 0.0 for step in range(300)]
    price = list(np.round(5 + arma([0.8], [], 300, 9), 2))
    explained = 70 + 12 * np.array(event[:240]) - 3 * np.array(price[:240])
    regressors = [event, price]
    yield "regressors", explained + arma([0.5], [], 240, 10), (1, 0, 0), (0, 0, 0), 1, True, regressors
    yield "regressors-walk", explained + walk, (0, 1, 1), (0, 0, 0), 1, False, regressors


def constant_column(order, seasonal, count):
    """The mean, or the drift."""
    return np.ones(count) if order[1] + seasonal[1] == 0 else np.arange(1.0, count + 1)


def sarimax(values, order, seasonal, season, constant, regressors, horizon, starts):
    """The best of the fits from these starts (`None` for its own)."""
    count = len(values)
    columns = [np.array(column[: count + horizon]) for column in regressors]
    if constant:
        columns.insert(0, constant_column(order, seasonal, count + horizon))
    exog = np.column_stack(columns) if columns else None
    settings = dict(
        order=order,
        seasonal_order=(*seasonal, season if season > 1 else 0),
    )
    model = SARIMAX(values, exog=None if exog is None else exog[:count], **settings)
    best = None
    for start in starts:
        guess = model.start_params if start is None else start
        for method in ("lbfgs", "nm"):
            found = model.fit(guess, method=method, maxiter=5000, disp=0)
            guess = found.params
        if best is None or found.llf > best.llf:
            best = found
    forecast = best.get_forecast(horizon, exog=None if exog is None else exog[count:])
    return best, forecast.predicted_mean, forecast.se_mean


def main():
    fixture = []
    for name, values, order, seasonal, season, constant, regressors in cases():
        values = np.round(values, 2)
        horizon = 48 if season == 24 else 24
        lost = order[1] + season * seasonal[1]
        with_gaps = bool(np.isnan(values).any())
        starts, peer = [None], None
        if not with_gaps and not regressors:
            is_level = order[1] + seasonal[1] == 0
            peer = ARIMA(
                order=order,
                season_length=season,
                seasonal_order=seasonal,
                include_mean=constant and is_level,
                include_drift=constant and not is_level,
            ).fit(values)
        best, mean, deviation = sarimax(
            values, order, seasonal, season, constant, regressors, horizon, starts
        )
        lags = sum(order[::2]) + sum(seasonal[::2])
        free = int(np.sum(~np.isnan(values[lost:]))) - lags - int(constant) - len(regressors)
        names = [n for n in best.model.param_names if n != "sigma2"]
        entry = {
            "name": name,
            "values": [None if np.isnan(value) else value for value in values.tolist()],
            "order": order,
            "seasonal": seasonal,
            "season": season,
            "constant": constant,
            "regressors": regressors,
            "reference": "statsmodels",
            "forecast": mean,
            "deviation": deviation,
            "log_likelihood": None,
            "coefficients": dict(zip(names, best.params)),
        }
        if peer is not None:
            fitted = peer.model_
            theirs = float(fitted["loglik"])
            # The same data, differenced beforehand: the likelihood that statsforecast prints.
            ours = SARIMAX(
                values,
                exog=constant_column(order, seasonal, len(values)) if constant else None,
                order=order,
                seasonal_order=(*seasonal, season if season > 1 else 0),
                simple_differencing=True,
            ).loglike(best.params)
            entry["log_likelihood"] = max(theirs, float(ours))
            if theirs > ours - 0.02:
                forecast = peer.predict(horizon, level=[95])
                width = (forecast["hi-95"] - forecast["mean"]) / 1.959963984540054
                entry |= {
                    "reference": "statsforecast",
                    "forecast": forecast["mean"],
                    "deviation": width,
                    "variance": float(fitted["sigma2"]),
                    "coefficients": dict(fitted["coef"]),
                }
        entry["free"] = free
        fixture.append(entry)
    rounded = lambda number: float(f"{number:.6g}")
    for entry in fixture:
        for key in ("forecast", "deviation"):
            entry[key] = [rounded(number) for number in entry[key]]
        entry["coefficients"] = {k: rounded(v) for k, v in entry["coefficients"].items()}
        for key in ("log_likelihood", "variance"):
            if entry.get(key) is not None:
                entry[key] = float(f"{entry[key]:.8g}")
    print("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in fixture) + "\n]")


main()
