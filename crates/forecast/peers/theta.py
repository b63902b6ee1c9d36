"""Prints tests/fixtures/theta.json: forecasts of the Theta models by statsforecast.

    pip install statsforecast==2.1.1
    python theta.py > ../tests/fixtures/theta.json
"""

import json

from series import all_series
from statsforecast.models import DynamicOptimizedTheta, DynamicTheta, OptimizedTheta, Theta

HORIZON = 24
FORMS = {
    "standard": Theta,
    "optimised": OptimizedTheta,
    "dynamic": DynamicTheta,
    "dynamic_optimised": DynamicOptimizedTheta,
}


def main():
    cases = []
    for series, values, day, _ in all_series():
        for form, model in FORMS.items():
            forecast = model(max(day, 1)).fit(values).predict(HORIZON)["mean"]
            steps = [round(float(step), 4) for step in forecast]
            cases.append({"series": series, "form": form, "steps": steps})
    series = [
        {"name": name, "day": day, "week": week, "values": values.tolist()}
        for name, values, day, week in all_series()
    ]
    print(json.dumps({"peer": "statsforecast 2.1.1", "series": series, "cases": cases}))


if __name__ == "__main__":
    main()
