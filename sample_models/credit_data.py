"""A synthetic credit-application table: 419 columns named and shaped like the public Home-Credit-style data sets.

No row describes a person or comes from a real data set. What is kept is what makes such tables hard on an inference
engine: amounts skewed over decades, whole groups of columns missing together, one-hot columns that are nearly always
zero, days counted backwards, a sentinel value, and timestamps that do not fit a float32.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

COLUMNS = 419
EPOCH = 1_672_531_200  # 2023-01-01, in seconds

Floats = npt.NDArray[np.float64]

ONE_HOT = {
    "contract_type": ["cash_loans", "revolving_loans"],
    "gender": ["f", "m", "xna"],
    "income_type": ["businessman", "commercial_associate", "pensioner", "state_servant", "student", "working"],
    "education_type": ["academic_degree", "higher", "incomplete_higher", "lower_secondary", "secondary"],
    "family_status": ["civil_marriage", "married", "separated", "single", "unknown", "widow"],
    "housing_type": ["co_op", "house", "municipal", "office", "rented", "with_parents"],
    "weekday_start": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    "occupation_type": [
        *("accountants", "cleaning_staff", "cooking_staff", "core_staff", "drivers", "hr_staff", "it_staff"),
        *("laborers", "managers", "medicine_staff", "private_service", "realty_agents", "sales_staff", "secretaries"),
        *("security_staff", "skilled_laborers", "waiters"),
    ],
    "organization_type": [
        *("advertising", "agriculture", "bank", "construction", "culture", "electricity", "emergency", "government"),
        *("hotel", "housing", "industry", "insurance", "kindergarten", "legal", "medicine", "military", "mobile"),
        *("police", "postal", "realtor", "religion", "restaurant", "school", "security", "self_employed", "services"),
        *("telecom", "trade", "transport", "university"),
    ],
    "wallsmaterial_mode": ["block", "mixed", "monolithic", "others", "panel", "stone_brick", "wooden"],
}
BUILDING = ("apartments", "basementarea", "commonarea", "elevators", "entrances", "floorsmax", "landarea", "livingarea")
BUILDING_STATISTICS = ("avg", "mode", "medi")
BUREAU = ("days_credit", "credit_day_overdue", "days_credit_enddate", "amt_credit_sum", "amt_credit_sum_debt")
PREVIOUS = ("amt_annuity", "amt_application", "amt_credit", "amt_down_payment", "days_decision", "cnt_payment")
HISTORIES = {
    "bureau": BUREAU,
    "active": BUREAU,
    "closed": BUREAU,
    "prev": PREVIOUS,
    "approved": PREVIOUS,
    "refused": PREVIOUS,
    "pos": ("months_balance", "sk_dpd", "sk_dpd_def", "cnt_instalment", "cnt_instalment_future"),
    "instal": ("dpd", "dbd", "payment_perc", "payment_diff", "amt_instalment", "amt_payment"),
    "cc": ("amt_balance", "amt_credit_limit", "amt_drawings_atm", "amt_drawings", "amt_inst_min", "amt_payment"),
}
HISTORY_STATISTICS = ("min", "max", "mean", "sum", "var")
MISSING_HISTORY = {
    "bureau": 0.14,
    "active": 0.29,
    "closed": 0.24,
    "prev": 0.05,
    "approved": 0.06,
    "refused": 0.63,
    "pos": 0.06,
    "instal": 0.05,
    "cc": 0.71,
}


def credit_table(rows: int, seed: int) -> pd.DataFrame:
    """`rows` applications: 419 feature columns (float32, float64, int8, int32, int64) and the int8 column `target`."""
    draw = np.random.default_rng(seed)
    risk = draw.normal(size=rows)
    groups = [
        _application(draw, risk),
        *(_one_hot(draw, risk, name, values) for name, values in ONE_HOT.items()),
        _building(draw, risk),
        *(_history(draw, risk, name) for name in HISTORIES),
    ]
    table = pd.concat(groups, axis=1)
    table = pd.concat([table, _flags(draw, risk, COLUMNS - table.shape[1])], axis=1)
    table["target"] = _target(draw, risk, table)
    return table


def _target(draw: np.random.Generator, risk: Floats, table: pd.DataFrame) -> npt.NDArray[np.int8]:
    """About one default in nine, driven by the risk, young age and a heavy annuity together."""
    young = (table["days_birth"].to_numpy() > -11_000) * 0.6
    burden = np.clip(table["annuity_income_perc"].to_numpy() - 0.2, 0, 1) * 2.0
    odds = 1.6 * risk + young + burden + draw.normal(scale=0.5, size=len(risk)) - 3.3
    return (draw.random(len(risk)) < 1 / (1 + np.exp(-odds))).astype(np.int8)


def _holes(draw: np.random.Generator, values: Floats, share: float) -> Floats:
    return np.where(draw.random(len(values)) < share, np.nan, values)


def _application(draw: np.random.Generator, risk: Floats) -> pd.DataFrame:
    """What the form itself holds: money, dates, external scores, and ratios of them."""
    rows = len(risk)
    income = np.round(np.exp(draw.normal(11.9, 0.5, rows) - 0.1 * risk), -2)
    credit = np.round(income * np.exp(draw.normal(1.1, 0.6, rows)), 1)
    annuity = np.round(credit / draw.uniform(12, 40, rows), 1)
    birth = -draw.integers(7_500, 25_200, rows)
    employed = np.where(draw.random(rows) < 0.18, 365_243, -draw.gamma(1.3, 1_800 - 250 * np.tanh(risk)).astype(int))
    return pd.DataFrame(
        {
            "amt_income_total": income,
            "amt_credit": credit,
            "amt_annuity": _holes(draw, annuity, 0.01),
            "amt_goods_price": _holes(draw, np.round(credit * draw.uniform(0.8, 1.0, rows), -2), 0.02),
            "days_birth": birth.astype(np.int32),
            "days_employed": employed.astype(np.int32),
            "days_registration": -np.floor(draw.gamma(2.0, 2_500, rows)),
            "days_id_publish": -draw.integers(0, 6_000, rows).astype(np.int32),
            "days_last_phone_change": _holes(draw, -np.floor(draw.gamma(1.0, 950, rows)), 0.01),
            "own_car_age": _holes(draw, np.floor(draw.gamma(2.0, 6.0, rows)), 0.66).astype(np.float32),
            "cnt_children": draw.poisson(0.4, rows).astype(np.int8),
            "cnt_fam_members": (1 + draw.poisson(1.1, rows)).astype(np.float32),
            "hour_start": draw.integers(0, 24, rows).astype(np.int8),
            "application_ts": (EPOCH + draw.integers(0, 63_072_000, rows)).astype(np.int64),
            "last_login_ts_ms": _holes(draw, (EPOCH + draw.integers(0, 63_072_000, rows)) * 1000.0, 0.3),
            "region_population_relative": np.round(draw.beta(1.2, 50, rows), 6),
            **{f"ext_source_{i}": _score(draw, risk, share) for i, share in ((1, 0.56), (2, 0.01), (3, 0.2))},
            "annuity_income_perc": annuity / income,
            "credit_income_perc": credit / income,
            "days_employed_perc": np.where(employed > 0, np.nan, employed / birth),
        }
    )


def _score(draw: np.random.Generator, risk: Floats, missing: float) -> Floats:
    """An external credit score in (0, 1): high is safe."""
    return _holes(draw, 1 / (1 + np.exp(0.9 * risk + draw.normal(scale=0.8, size=len(risk)))), missing)


def _one_hot(draw: np.random.Generator, risk: Floats, name: str, values: list[str]) -> pd.DataFrame:
    """One int8 column a value; popularity falls off quickly, so most columns are nearly always zero."""
    popularity = draw.permutation(1.0 / np.arange(1, len(values) + 1))
    leaning = draw.normal(scale=0.25, size=len(values))
    gumbel = draw.gumbel(size=(len(risk), len(values)))
    chosen = (np.log(popularity) + risk[:, None] * leaning + gumbel).argmax(axis=1)
    return pd.DataFrame({f"{name}_{value}": (chosen == i).astype(np.int8) for i, value in enumerate(values)})


def _building(draw: np.random.Generator, risk: Floats) -> pd.DataFrame:
    """Normalised facts of the building: shares in [0, 1], absent together for about half of the rows."""
    absent = draw.random(len(risk)) < 0.5
    columns = {}
    for part in BUILDING:
        share = np.clip(draw.beta(1.5, 8, len(risk)) - 0.01 * risk, 0, 1)
        for statistic in BUILDING_STATISTICS:
            noisy = np.round(np.clip(share + draw.normal(scale=0.01, size=len(risk)), 0, 1), 4)
            columns[f"{part}_{statistic}"] = np.where(absent, np.nan, noisy).astype(np.float32)
    return pd.DataFrame(columns)


def _history(draw: np.random.Generator, risk: Floats, source: str) -> pd.DataFrame:
    """Aggregates over a client's earlier loans; a client without any has NaN in the whole group."""
    absent = draw.random(len(risk)) < MISSING_HISTORY[source]
    count = 1 + draw.poisson(3.0, len(risk))
    columns = {f"{source}_count": np.where(absent, np.nan, count).astype(np.float32)}
    for measure in HISTORIES[source]:
        for statistic, values in _aggregates(draw, risk, measure, count).items():
            columns[f"{source}_{measure}_{statistic}"] = np.where(absent, np.nan, values).astype(np.float32)
    return pd.DataFrame(columns)


def _aggregates(
    draw: np.random.Generator, risk: Floats, measure: str, count: npt.NDArray[np.int64]
) -> dict[str, Floats]:
    """min, max, mean, sum and var of a measure: days run backwards, amounts are log-normal, the rest is a count."""
    rows = len(risk)
    if measure.startswith(("days", "months")):
        mean = -draw.gamma(2.0, 400, rows)
    elif measure.startswith("amt"):
        mean = np.exp(draw.normal(10.5, 1.2, rows) + 0.1 * risk)
    else:
        mean = draw.gamma(1.0, np.exp(0.2 * risk), rows) * (draw.random(rows) < 0.8)
    spread = np.abs(mean) * draw.uniform(0.05, 0.6, rows)
    values = {"min": mean - spread, "max": mean + spread, "mean": mean, "sum": mean * count, "var": spread**2}
    return {name: np.round(values[name]) for name in HISTORY_STATISTICS}


def _flags(draw: np.random.Generator, risk: Floats, count: int) -> pd.DataFrame:
    """`count` yes/no columns `flag_document_2`, `flag_document_3`, …, rarely set."""
    often = draw.beta(0.5, 8.0, count)
    leaning = draw.normal(scale=0.2, size=count)
    chance = np.clip(often * np.exp(risk[:, None] * leaning), 0, 1)
    set_ = draw.random((len(risk), count)) < chance
    return pd.DataFrame({f"flag_document_{i + 2}": set_[:, i].astype(np.int8) for i in range(count)})
