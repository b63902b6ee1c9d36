"""The best ARIMA of a given order that a peer finds: statsforecast's or statsmodels', whichever is likelier.

Both maximise the same thing, the exact Gaussian likelihood of the differenced series with its constant as a regressor
(a mean, or the drift of the levels). What differs is where their searches start and when they end:

- statsforecast 2.1.1, `ARIMA`, as it comes: CSS-ML by BFGS, one start, constants not scaled. It often ends early.
- statsmodels 0.15.0, `SARIMAX`: L-BFGS with tight tolerances on the series in units of its steps' deviation, from its own
  start, from nothing, from statsforecast's coefficients, and from seeded random ones: a likelihood may have several tops.

All coefficients are judged by one yardstick, statsmodels' likelihood. At the edge of what is stationary its filter can lose
all digits and report a likelihood that is none; so what it finds must be confirmed by the density of a normal vector
with the covariances of the process (not across gaps).
"""
import numpy as np
from scipy.linalg import cho_factor, cho_solve, toeplitz
from statsforecast.models import ARIMA
from statsmodels.tsa.arima_process import arma_acovf
from statsmodels.tsa.statespace.sarimax import SARIMAX


def by_statsforecast(values, order, seasonal, season, constant, horizon):
    """The point forecasts, and the coefficients: autoregressive, moving average, both seasonal, constant."""
    is_level = order[1] + seasonal[1] == 0
    fitted = ARIMA(
        order=tuple(order),
        season_length=season if any(seasonal) else 1,
        seasonal_order=tuple(seasonal),
        include_mean=constant and is_level,
        include_drift=constant and not is_level,
        method="CSS-ML",
    ).fit(values)
    forecast = np.asarray(fitted.predict(horizon)["mean"], float)
    if not np.isfinite(forecast).all():
        raise ValueError("the forecast is not finite")
    return forecast, np.array(list(fitted.model_["coef"].values()), float)


# Both ways to the likelihood agree up to this.
CONFIRMED = 0.05


def polynomial(coefficients, step, sign):
    """1 and the coefficients at every so many-th power."""
    powers = np.zeros(len(coefficients) * step + 1)
    powers[0] = 1.0
    powers[step::step] = sign * np.asarray(coefficients)
    return powers


class BySarimax:
    """An order in statsmodels, for a series that is moved and scaled: the same model, better conditioned."""

    def __init__(self, values, order, seasonal, season, constant):
        self.order, self.seasonal = tuple(order), tuple(seasonal)
        self.season, self.constant = season, constant
        self.is_level = order[1] + seasonal[1] == 0
        seen = values[~np.isnan(values)]
        self.unit = float(np.std(np.diff(seen))) or 1.0
        self.base = 0.0
        if not self.is_level:
            self.base = float(seen[0])
        elif constant:
            self.base = float(seen.mean())
        self.scaled = (values - self.base) / self.unit
        self.has_gaps = bool(np.isnan(values).any())
        # Across gaps the differences are not known: the levels are filtered then, from a diffuse start.
        self.model = self.make(simple_differencing=not self.has_gaps)
        self.lags = sum(order[::2]) + sum(seasonal[::2])
        lost = order[1] + seasonal[1] * season
        self.counted = int(np.sum(~np.isnan(values[lost:])))

    def column(self, start, end):
        if not self.constant:
            return None
        return (np.ones(end - start) if self.is_level else np.arange(start + 1.0, end + 1.0))[:, None]

    def make(self, simple_differencing):
        return SARIMAX(
            self.scaled,
            exog=self.column(0, len(self.scaled)),
            order=self.order,
            seasonal_order=(*self.seasonal, self.season if any(self.seasonal) else 0),
            simple_differencing=simple_differencing,
            concentrate_scale=True,
        )

    def in_unit(self, log_likelihood):
        """The log likelihood of the series as it is."""
        return float(log_likelihood) - self.counted * np.log(self.unit)

    def log_likelihood(self, numbers):
        return self.in_unit(self.model.loglike(numbers))

    def is_confirmed(self, numbers, likelihood):
        """Whether the density of the whole differenced series as one normal vector is the same."""
        if self.has_gaps:
            return True
        left, numbers = np.ravel(self.model.endog).copy(), np.asarray(numbers)
        if self.constant:
            left -= np.ravel(self.model.exog) * numbers[0]
            numbers = numbers[1:]
        ends = np.cumsum([self.order[0], self.order[2], self.seasonal[0]])
        ar, ma, seasonal_ar, seasonal_ma = np.split(numbers, ends)
        ar = np.convolve(polynomial(ar, 1, -1), polynomial(seasonal_ar, self.season, -1))
        ma = np.convolve(polynomial(ma, 1, 1), polynomial(seasonal_ma, self.season, 1))
        count = len(left)
        try:
            factor = cho_factor(toeplitz(arma_acovf(ar, ma, count)))
        except (ValueError, np.linalg.LinAlgError):
            return False
        variance = left @ cho_solve(factor, left) / count
        determinant = 2 * np.log(np.diag(factor[0])).sum()
        density = -0.5 * (count * (np.log(2 * np.pi * variance) + 1) + determinant)
        return abs(self.in_unit(density) - likelihood) < CONFIRMED

    def numbers(self, coefficients):
        """statsforecast's coefficients in statsmodels' order."""
        lags, constant = coefficients[: self.lags], coefficients[self.lags :].copy()
        if self.is_level:
            constant -= self.base
        return np.concatenate([constant / self.unit, lags])

    def starts(self, coefficients, tries):
        yield "its own", self.model.start_params
        nothing = np.zeros(self.lags + int(self.constant))
        if self.constant and not self.is_level:
            seen = self.scaled[~np.isnan(self.scaled)]
            nothing[0] = (seen[-1] - seen[0]) / len(self.scaled)
        yield "nothing", nothing
        if coefficients is not None:
            yield "statsforecast's", self.numbers(coefficients)
        random = np.random.default_rng(len(self.scaled) + 1000 * self.lags)
        for number in range(1, tries + 1):
            start = nothing.copy()
            start[int(self.constant) :] = random.normal(size=self.lags)
            start = self.model.transform_params(start)
            yield f"random {number}", start

    def best(self, coefficients, tries):
        """The likeliest end of all searches: log likelihood, numbers, and the name of the start."""
        best = (-np.inf, None, None)
        for name, start in self.starts(coefficients, tries):
            try:
                found = self.model.fit(
                    start, method="lbfgs", maxiter=1000, pgtol=1e-9, factr=10, disp=0, cov_type="none"
                )
                likelihood = self.in_unit(found.llf)
            except (ValueError, np.linalg.LinAlgError):
                continue  # A start that is not stationary: the others remain.
            # The first of equal ones, so that its own start is named where it does.
            is_better = np.isfinite(likelihood) and likelihood > best[0] + 1e-4
            if is_better and self.is_confirmed(found.params, likelihood):
                best = (likelihood, found.params, name)
        return best

    def forecast(self, numbers, horizon):
        count = len(self.scaled)
        levels = self.model if self.has_gaps else self.make(simple_differencing=False)
        result = levels.filter(numbers, cov_type="none")
        ahead = result.get_forecast(horizon, exog=self.column(count, count + horizon))
        return np.asarray(ahead.predicted_mean) * self.unit + self.base


def log_likelihood_of(coefficients, values, order, seasonal, season, constant):
    """By the common yardstick, of statsforecast's coefficients."""
    sarimax = BySarimax(values, order, seasonal, season, constant)
    return sarimax.log_likelihood(sarimax.numbers(coefficients))


def best_fit(values, order, seasonal, season, constant, horizon):
    """Both peers' fits of one order.

    `reference` names the likelier one, `start` what it started from; `forecast` and `log_likelihood` are its own.
    Beside them stand statsforecast's, `None` where it fails.
    """
    values = np.asarray(values, float)
    answer = {"statsforecast": None}
    coefficients = None
    try:
        forecast, coefficients = by_statsforecast(values, order, seasonal, season, constant, horizon)
        answer["statsforecast"] = {"forecast": forecast.tolist()}
    except Exception as error:  # noqa: BLE001 - a peer that fails is a result
        answer["error"] = repr(error)[:200]
    sarimax = BySarimax(values, order, seasonal, season, constant)
    tries = sarimax.lags * (2 if any(seasonal) else 4)
    likelihood, numbers, start = sarimax.best(coefficients, tries)
    answer |= {"reference": "statsmodels", "start": start, "log_likelihood": likelihood}
    if coefficients is not None:
        own = sarimax.numbers(coefficients)
        theirs = sarimax.log_likelihood(own)
        answer["statsforecast"]["log_likelihood"] = theirs
        if theirs > likelihood and sarimax.is_confirmed(own, theirs):
            forecast = np.array(answer["statsforecast"]["forecast"])
            answer |= {"reference": "statsforecast", "start": "its own", "log_likelihood": theirs}
    if answer["reference"] == "statsmodels":
        if numbers is None:
            raise ValueError(answer.get("error", "no search ended"))
        forecast = sarimax.forecast(numbers, horizon)
    answer["forecast"] = forecast.tolist()
    return answer
