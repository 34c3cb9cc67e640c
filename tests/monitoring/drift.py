"""The generator's own drift, seen by a model of the months before: what the alert is worth."""

import datetime as dt

import numpy as np

from apps.demo.synthetic.clock import to_day, window_before
from apps.demo.synthetic.outcome import Times
from apps.demo.synthetic.portfolio import generate
from apps.engine.dictionary import STANDARD
from apps.engine.encoding import encode
from apps.engine.monitoring import WINDOW, cohorts
from apps.engine.training.dataset import training_set
from apps.engine.training.pipeline import fit
from apps.registry.services.training import model_variables

AS_OF = dt.date(2026, 3, 31)
#: Months of the generator: the model learns of the first year; the shock lasts from 13 to 18.
TAUGHT, SHOCK_END, YEAR_END = 12, 18, 24


def alarming_months(seed: int, times: Times, *, rows: int = 20_000) -> list[int]:
    """Return the months in which a rolling cohort of the year after the training raises the alert."""
    frame = generate(rows=rows, as_of=AS_OF, seed=seed, times=times).applications
    frame = frame[frame["outcome"].notna()]
    days = np.array([to_day(day) for day in frame["submitted_on"]])
    months = window_before(AS_OF, 36).month_index(days)
    outcomes = frame["outcome"].eq("default").to_numpy().astype(np.int8)
    variables = [STANDARD[name] for name in model_variables()]
    columns = {each.name: frame[each.name].to_numpy() for each in variables if each.name in frame}
    taught, later = months <= TAUGHT, (months > TAUGHT) & (months <= YEAR_END)
    model = fit(
        training_set(variables, {name: column[taught] for name, column in columns.items()}, outcomes[taught])
    )
    pd = model.predict(
        encode(variables, {name: column[later] for name, column in columns.items()}, int(later.sum()))
    )
    found = cohorts(months[later], pd, outcomes[later], window=WINDOW)
    return [each.last for each in found if each.alarming]
