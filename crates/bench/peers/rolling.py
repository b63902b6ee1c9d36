"""Forecasts of the peers, from the origins and to the horizon that a job states.

Reads one job as JSON from the file that is its argument, and writes one line of JSON for each model, series and
origin: the quantiles of each step ahead, and the user CPU seconds of the fit with its forecast (imports and process
start not counted). Scores are not computed here: the program that wrote the job scores its own forecasts and these
by the same code. All peers run with the defaults of their libraries: statsforecast 2.1.1, prophet 1.5.0.

job: {"models": [...], "horizon": h, "window": w, "day": steps, "week": steps,
      "series": [{"name": ..., "start": RFC 3339 or null, "step_seconds": s, "values": [...], "origins": [...]}]}
"""
import json
import logging
import os
import sys
import warnings

# One thread: what is compared is CPU.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)

import numpy as np  # noqa: E402

QUANTILES = [0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975]
# Central intervals, in percent, whose ends are these quantiles.
INTERVALS = [95, 90, 80, 60, 40, 20]


def statsforecast_model(name, day, week):
    from statsforecast import models

    # A second season only where the window holds it twice.
    seasons = [day, week] if week else [day]
    if name == "Naive":
        return models.Naive()
    if name == "SeasonalNaive-day":
        return models.SeasonalNaive(season_length=day)
    if name == "SeasonalNaive-week":
        if not week:
            raise ValueError("the window holds less than two weeks")
        return models.SeasonalNaive(season_length=week)
    if name == "DOT":
        return models.DynamicOptimizedTheta(season_length=day)
    if name == "AutoETS":
        return models.AutoETS(season_length=day)
    if name == "AutoCES":
        return models.AutoCES(season_length=day)
    if name == "AutoARIMA-approx":
        return models.AutoARIMA(season_length=day, approximation=True)
    if name == "MSTL":
        return models.MSTL(season_length=seasons)
    if name == "MSTL-ARIMA":
        return models.MSTL(season_length=seasons, trend_forecaster=models.AutoARIMA())
    raise ValueError(f"there is no peer {name}")


def with_statsforecast(name, history, horizon, day, week):
    found = statsforecast_model(name, day, week).forecast(y=history, h=horizon, level=INTERVALS)
    lower = [found[f"lo-{interval}"] for interval in INTERVALS]
    upper = [found[f"hi-{interval}"] for interval in reversed(INTERVALS)]
    return np.vstack([*lower, found["mean"], *upper]).T


def with_prophet(history, horizon, first, step_seconds):
    import pandas as pd
    from prophet import Prophet

    np.random.seed(0)
    step = pd.Timedelta(seconds=step_seconds)
    dates = pd.date_range(first, periods=len(history) + horizon, freq=step)
    model = Prophet()
    model.fit(pd.DataFrame({"ds": dates[: len(history)], "y": history}))
    ahead = pd.DataFrame({"ds": dates[len(history):]})
    expected = model.predict(ahead)["yhat"].to_numpy()
    quantiles = np.quantile(model.predictive_samples(ahead)["yhat"], QUANTILES, axis=1).T
    quantiles[:, QUANTILES.index(0.5)] = expected
    return quantiles


def forecast(name, job, series, origin):
    start = max(0, origin - job["window"])
    history = np.asarray(series["values"][start:origin], dtype=float)
    if name == "Prophet":
        import pandas as pd

        if series["start"] is None:
            raise ValueError("Prophet needs dates")
        begins = pd.Timestamp(series["start"]).tz_localize(None)
        first = begins + start * pd.Timedelta(seconds=series["step_seconds"])
        return with_prophet(history, job["horizon"], first, series["step_seconds"])
    week = job["week"] if len(history) >= 2 * job["week"] else None
    return with_statsforecast(name, history, job["horizon"], job["day"], week)


def user_seconds():
    spent = os.times()
    return spent.user + spent.children_user


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    # What is compiled or imported at the first call belongs to nobody's fit.
    warm = {"values": job["series"][0]["values"], "start": "2020-01-01", "step_seconds": 3600}
    for name in job["models"]:
        try:
            forecast(name, job, warm, job["series"][0]["origins"][0])
        except Exception:  # noqa: BLE001 - it will fail again where it counts
            pass
        for series in job["series"]:
            for origin in series["origins"]:
                line = {"model": name, "series": series["name"], "origin": origin}
                began = user_seconds()
                try:
                    quantiles = forecast(name, job, series, origin)
                    line["cpu_seconds"] = user_seconds() - began
                    # Demand is never negative; the scores of all are of clipped forecasts.
                    clipped = np.maximum(np.nan_to_num(quantiles, nan=0.0, posinf=0.0, neginf=0.0), 0.0)
                    line["quantiles"] = clipped.tolist()
                except Exception as error:  # noqa: BLE001 - a peer that fails is a result
                    line["error"] = repr(error)[:200]
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
