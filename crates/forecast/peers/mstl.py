"""Prints tests/fixtures/mstl.json: forecasts of MSTL with exponential smoothing by statsforecast.

    pip install statsforecast==2.1.1 statsmodels==0.15.0
    python mstl.py > ../tests/fixtures/mstl.json
"""

import json

from series import all_series
from statsforecast.models import MSTL

HORIZON = 168


def main():
    cases, kept = [], []
    for name, values, day, week in all_series():
        seasons = [season for season in (day, week) if season]
        if not seasons:
            continue
        forecast = MSTL(seasons).fit(values).predict(HORIZON)["mean"]
        steps = [round(float(step), 4) for step in forecast]
        cases.append({"series": name, "steps": steps})
        kept.append({"name": name, "day": day, "week": week, "values": values.tolist()})
    print(json.dumps({"peer": "statsforecast 2.1.1, MSTL", "series": kept, "cases": cases}))


if __name__ == "__main__":
    main()
