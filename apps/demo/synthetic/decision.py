"""The officer's decision: two written rules and a noisy judgement, which make the sample selected."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apps.demo.synthetic.outcome import AS_THEY_WERE, SPREAD, Times, environment

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MAX_DEBT_SERVICE = 0.60
MAX_NINETY = 2
JUDGEMENT_NOISE = 2.2
JUDGEMENT_LIMIT = 0.0


def draw_refusals(
    rng: np.random.Generator, requests: pd.DataFrame, observable_logit: Floats, times: Times = AS_THEY_WERE
) -> Bools:
    """Who is refused: a debt service above 60 %, two delays of 90 days, or an unfavourable impression.

    Officers judge a file against those of their own agency: place and times do not weigh on them.
    """
    impression = observable_logit - SPREAD * environment(requests, times)
    intuition = 0.50 * requests["discipline"].to_numpy() + rng.normal(0, JUDGEMENT_NOISE, len(requests))
    refused: Bools = (requests["rdr"].to_numpy() > MAX_DEBT_SERVICE) | (
        requests["n90"].to_numpy() >= MAX_NINETY
    )
    return refused | (impression + intuition > JUDGEMENT_LIMIT)
