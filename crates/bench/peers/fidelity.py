"""Point forecasts of statsforecast for models of stated orders, so that ours of the same order can be compared.

Reads one job as JSON from the file that is its argument, and writes one line of JSON for each kind and series: the
order, the point forecasts, of ARIMA the log likelihood, and the user CPU seconds. Orders go round: the first series gets the first order, and so
on. statsforecast 2.1.1.

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


def make(kind, index, season):
    """The model, and its order in words that a program can read."""
    if kind == "theta":
        return models.DynamicOptimizedTheta(season_length=season), {}
    if kind == "ets":
        form, damped = ETS[index % len(ETS)]
        order = {"error": form[0], "trend": form[1], "season": form[2], "damped": damped}
        return models.AutoETS(season_length=season, model=form, damped=damped), order
    if kind == "arima":
        plain, seasonal, drift = ARIMA[index % len(ARIMA)]
        model = models.ARIMA(
            order=plain, seasonal_order=seasonal, season_length=season, include_drift=drift, method="CSS-ML"
        )
        return model, {"order": plain, "seasonal": seasonal, "drift": drift}
    raise ValueError(f"there is no kind {kind}")


def user_seconds():
    spent = os.times()
    return spent.user + spent.children_user


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    for kind in job["kinds"]:
        for index, series in enumerate(job["series"]):
            model, order = make(kind, index, job["season"])
            line = {"kind": kind, "series": series["name"], "order": order}
            began = user_seconds()
            try:
                values = np.asarray(series["values"], dtype=float)
                if kind == "arima":
                    fitted = model.fit(y=values)
                    found = fitted.predict(h=job["horizon"])["mean"]
                    likelihood = float(fitted.model_["loglik"])
                    line["log_likelihood"] = likelihood if np.isfinite(likelihood) else None
                else:
                    found = model.forecast(y=values, h=job["horizon"])["mean"]
                line["forecast"] = [float(value) for value in found]
            except Exception as error:  # noqa: BLE001 - a peer that fails is a result
                line["error"] = repr(error)[:200]
            line["cpu_seconds"] = user_seconds() - began
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
