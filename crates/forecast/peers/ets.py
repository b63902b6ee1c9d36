"""Prints tests/fixtures/ets.json: forecasts of exponential smoothing by statsforecast.

    pip install statsforecast==2.1.1
    python ets.py > ../tests/fixtures/ets.json
"""

import json

from series import all_series
from statsforecast.models import AutoETS

HORIZON = 24
PLAIN = ["ANN", "AAN", "AAdN", "MNN", "MAN", "MAdN"]
SEASONAL = ["ANA", "AAA", "AAdA", "MNA", "MAA", "MNM", "MAM", "MAdM"]


def fits(values, season):
    positive = values.min() > 0
    names = PLAIN + (SEASONAL if season else [])
    for name in [name for name in names if positive or "M" not in name]:
        yield name, season, AutoETS(
            season if name in SEASONAL else 1, model=name.replace("d", ""), damped="d" in name
        )
    yield "auto", 0, AutoETS(1)
    if season:
        yield "auto", season, AutoETS(season)


def main():
    cases = []
    for series, values, day, week in all_series():
        for name, season, model in fits(values, day):
            forecast = model.fit(values).predict(HORIZON, level=[80])
            found = model.model_
            error, trend, seasonal, damped = found["components"]
            case = {
                "form": name,
                "seasonal": season > 0,
                "found": error + trend + ("d" if damped == "D" else "") + seasonal,
                "aicc": round(float(found["aicc"]), 3),
                "steps": [round(float(step), 4) for step in forecast["mean"]],
                "high": [round(float(step), 4) for step in forecast["hi-80"]],
            }
            cases.append({"series": series, **case})
    series = [
        {"name": name, "day": day, "week": week, "values": values.tolist()}
        for name, values, day, week in all_series()
    ]
    print(json.dumps({"peer": "statsforecast 2.1.1, AutoETS", "series": series, "cases": cases}))


if __name__ == "__main__":
    main()
