"""Point forecasts of the peers for models of stated orders, so that ours of the same order can be compared.

Reads one job as JSON from the file that is its argument, and writes one line of JSON for each kind and series: the
order, the point forecasts, of ARIMA the log likelihood, and the user CPU seconds. Orders go round: the first series gets
the first order, and so on. All are statsforecast 2.1.1 but for "arima", which is the likelier of statsforecast's and
statsmodels' (see `arima_peers.py`); "arima, statsforecast alone" is what it says.

job: {"kinds": [...], "season": steps, "horizon": h, "series": [{"name": ..., "values": [...]}]}
"""
import json
import logging
import os
import sys
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)

import numpy as np  # noqa: E402
from arima_peers import best_fit, by_statsforecast, log_likelihood_of  # noqa: E402
from statsforecast import models  # noqa: E402

# Error, trend and season: additive, multiplicative or none; and whether the trend is damped.
ETS = [
    ("ANN", False), ("AAN", False), ("AAN", True), ("ANA", False), ("AAA", False),
    ("AAA", True), ("MNN", False), ("MNM", False), ("MAM", False), ("MAM", True),
]
# (p, d, q), (P, D, Q), drift.
ARIMA = [
    ((1, 1, 1), (0, 0, 0), False), ((2, 0, 0), (0, 0, 0), False), ((0, 1, 1), (0, 0, 0), True),
    ((2, 1, 2), (0, 0, 0), False), ((1, 0, 0), (0, 1, 1), False), ((1, 0, 1), (1, 0, 0), False),
    ((2, 0, 1), (0, 1, 0), True), ((0, 1, 1), (0, 1, 1), False),
]


def order_of(kind, index):
    """The order in words that a program can read."""
    if kind == "theta":
        return {}
    if kind == "ets":
        form, damped = ETS[index % len(ETS)]
        return {"error": form[0], "trend": form[1], "season": form[2], "damped": damped}
    plain, seasonal, drift = ARIMA[index % len(ARIMA)]
    return {"order": plain, "seasonal": seasonal, "drift": drift}


def fit(kind, order, values, season, horizon):
    """The point forecasts, and the log likelihood where ours can be compared with it."""
    if kind == "theta":
        model = models.DynamicOptimizedTheta(season_length=season)
        return model.forecast(y=values, h=horizon)["mean"], None
    if kind == "ets":
        form = order["error"] + order["trend"] + order["season"]
        model = models.AutoETS(season_length=season, model=form, damped=order["damped"])
        return model.forecast(y=values, h=horizon)["mean"], None
    plain, seasonal = order["order"], order["seasonal"]
    constant = order["drift"] or plain[1] + seasonal[1] == 0
    if kind == "arima":
        found = best_fit(values, plain, seasonal, season, constant, horizon)
        return found["forecast"], found["log_likelihood"]
    if kind == "arima, statsforecast alone":
        forecast, coefficients = by_statsforecast(values, plain, seasonal, season, constant, horizon)
        return forecast, log_likelihood_of(coefficients, values, plain, seasonal, season, constant)
    raise ValueError(f"there is no kind {kind}")


def user_seconds():
    spent = os.times()
    return spent.user + spent.children_user


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    for kind in job["kinds"]:
        for index, series in enumerate(job["series"]):
            order = order_of(kind, index)
            line = {"kind": kind, "series": series["name"], "order": order}
            values = np.asarray(series["values"], dtype=float)
            began = user_seconds()
            try:
                found, likelihood = fit(kind, order, values, job["season"], job["horizon"])
                line["forecast"] = [float(value) for value in found]
                if likelihood is not None and np.isfinite(likelihood):
                    line["log_likelihood"] = float(likelihood)
            except Exception as error:  # noqa: BLE001 - a peer that fails is a result
                line["error"] = repr(error)[:200]
            line["cpu_seconds"] = user_seconds() - began
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
