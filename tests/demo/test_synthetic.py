"""The synthetic portfolio keeps the figures it was designed for, and is honest about what it cannot know."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from apps.demo.synthetic import names
from apps.demo.synthetic.clock import add_months, to_day, whole_years
from apps.demo.synthetic.dirt import MAX_INCOME, MAX_TENURE
from apps.demo.synthetic.lists import CONTRACTS, PURPOSES, SECTORS, SITUATIONS, TYPES
from apps.demo.synthetic.portfolio import generate

AS_OF = dt.date(2026, 3, 31)
HORIZON_CITIES = ("Douala", "Yaoundé", "Bafoussam", "Garoua")
RANGES = {
    "age": (18, 80),
    "revenu_mensuel": (0, MAX_INCOME),
    "anciennete_travail_mois": (0, MAX_TENURE),
    "montant_credit": (50_000, 6_000_000),
    "duree_mois": (3, 36),
    "taux_interet": (12, 34),
    "nb_retards_30j": (0, 200),
    "taux_endettement": (0, 300),
    "ratio_dette_revenu": (0, 20),
}


@pytest.fixture(scope="module")
def portfolio():
    return generate(rows=60_000, as_of=AS_OF, seed=20_260)


@pytest.fixture(scope="module")
def applications(portfolio):
    return portfolio.applications


@pytest.fixture(scope="module")
def labelled(applications):
    known = applications[applications["outcome"].notna()]
    return known.assign(bad=known["outcome"].eq("default"))


def days(column):
    return np.array([to_day(value) for value in column])


def test_same_seed_same_portfolio():
    first, second = (generate(rows=800, as_of=AS_OF, seed=3) for _ in range(2))
    for frame in ("clients", "applications", "truth"):
        pd.testing.assert_frame_equal(getattr(first, frame), getattr(second, frame))


def test_other_seed_other_portfolio():
    amounts = [
        generate(rows=300, as_of=AS_OF, seed=s).applications["montant_credit"].tolist() for s in (3, 4)
    ]
    assert amounts[0] != amounts[1]


@pytest.mark.parametrize("rows", [1, 50, 2_345])
def test_exactly_the_rows_asked_for(rows):
    portfolio = generate(rows=rows, as_of=AS_OF, seed=8, months=6)
    assert len(portfolio.applications) == len(portfolio.truth) == rows
    assert set(portfolio.applications["client_key"]) == set(portfolio.clients["client_key"])


def test_history_ends_the_day_before(applications):
    assert applications["submitted_on"].max() == dt.date(2026, 3, 30)
    assert applications["submitted_on"].min() == dt.date(2023, 3, 31)
    for column in ("decided_on", "disbursed_on"):
        assert applications[column].dropna().max() < AS_OF
    assert applications["outcome_date"].dropna().max() <= AS_OF


def test_the_present_is_only_an_argument():
    portfolio = generate(rows=500, as_of=dt.date(2031, 8, 3), seed=5)
    assert portfolio.applications["submitted_on"].max() == dt.date(2031, 8, 2)


def test_whole_cohorts_only(applications):
    disbursed = applications[applications["disbursed_on"].notna()]
    old_enough = disbursed["disbursed_on"] <= dt.date(2025, 3, 31)
    assert disbursed["outcome"].notna().equals(old_enough)
    assert applications.loc[applications["disbursed_on"].isna(), "outcome"].isna().all()


def test_another_horizon_moves_the_cohorts():
    known = [
        generate(rows=4_000, as_of=AS_OF, seed=6, horizon_months=h).applications["outcome"].notna().sum()
        for h in (9, 12)
    ]
    assert known[0] > known[1] * 1.08


def test_outcome_dates_follow_the_credit(labelled):
    since = days(labelled["outcome_date"]) - days(labelled["disbursed_on"])
    bad = labelled["bad"].to_numpy()
    assert since[bad].min() > 90
    assert since.max() <= 366
    expected = np.minimum(labelled["duree_mois"], 12).to_numpy()
    assert (days(labelled["outcome_date"]) == add_months(days(labelled["disbursed_on"]), expected))[
        ~bad
    ].all()


def test_decisions_are_pending_for_the_last_weeks_only(applications):
    pending = applications[applications["decision"].isna()]
    assert len(pending) > 100
    assert pending["submitted_on"].min() >= AS_OF - dt.timedelta(days=22)
    assert pending[["decided_on", "disbursed_on", "outcome"]].isna().all(axis=None)
    decided = applications[applications["decision"].notna()]
    assert (decided["decided_on"] > decided["submitted_on"]).all()
    refused = applications[applications["decision"].eq("refuse")]
    assert refused["disbursed_on"].isna().all()


def test_labelled_share_and_base_rate(applications, labelled):
    assert len(labelled) / len(applications) == pytest.approx(0.447, abs=0.015)
    assert labelled["bad"].mean() == pytest.approx(0.094, abs=0.006)


def test_horizon_institution_has_enough_defaults():
    counts = []
    for seed in range(4):
        applications = generate(rows=12_000, as_of=AS_OF, seed=seed, cities=HORIZON_CITIES).applications
        assert set(applications["agency_city"]) == set(HORIZON_CITIES)
        counts.append(applications["outcome"].eq("default").sum())
    assert min(counts) > 400


@pytest.mark.parametrize(
    ("column", "code", "rate", "tolerance"),
    [
        ("type_contrat_travail", "CDI", 0.026, 0.012),
        ("type_contrat_travail", "CDD", 0.090, 0.015),
        ("type_contrat_travail", "Indépendant", 0.082, 0.015),
        ("type_contrat_travail", "Informel", 0.139, 0.017),
        ("type_credit", "scolaire", 0.042, 0.012),
        ("type_credit", "fonds_de_roulement", 0.118, 0.017),
        ("agency_city", "Bafoussam", 0.051, 0.022),
        ("agency_city", "Maroua", 0.144, 0.035),
    ],
)
def test_default_by_group(labelled, column, code, rate, tolerance):
    assert labelled.loc[labelled[column].eq(code), "bad"].mean() == pytest.approx(rate, abs=tolerance)


@pytest.mark.parametrize(
    ("column", "shares"),
    [
        ("type_contrat_travail", {"Informel": 0.39, "Indépendant": 0.24, "CDI": 0.23, "CDD": 0.14}),
        ("type_credit", dict(zip(TYPES, (0.42, 0.24, 0.13, 0.08, 0.08, 0.05), strict=True))),
        ("agency_city", {"Douala": 0.24, "Yaoundé": 0.21, "Bafoussam": 0.10, "Nkongsamba": 0.02}),
        ("premier_credit", {True: 0.44}),
        ("sexe", {"F": 0.54}),
    ],
)
def test_shares(applications, column, shares):
    seen = applications[column].value_counts(normalize=True)
    assert {code: seen[code] for code in shares} == pytest.approx(shares, abs=0.025)


def test_medians_and_prices(applications):
    assert applications["montant_credit"].median() == pytest.approx(340_000, rel=0.06)
    assert applications["duree_mois"].median() == 10
    assert applications["taux_interet"].mean() == pytest.approx(22.4, abs=0.25)
    early, late = (
        (applications["submitted_on"] < dt.date(2024, 4, 30)),
        (applications["submitted_on"] > dt.date(2024, 5, 2)),
    )
    rise = applications.loc[late, "taux_interet"].mean() - applications.loc[early, "taux_interet"].mean()
    assert rise == pytest.approx(1.2, abs=0.25)


def test_school_loans_peak_before_term_and_farm_loans_before_sowing(applications):
    month = pd.to_datetime(applications["submitted_on"]).dt.month
    share = pd.crosstab(month, applications["type_credit"], normalize="index")
    assert (
        share.loc[7:9, "scolaire"].mean() > 2.3 * share.loc[[1, 2, 3, 4, 5, 6, 10, 11, 12], "scolaire"].mean()
    )
    assert share.loc[2:4, "agricole"].mean() > 1.8 * share.loc[[1, *range(5, 13)], "agricole"].mean()


def test_kribi_opens_in_month_twenty(applications):
    kribi = applications.loc[applications["agency_city"].eq("Kribi"), "submitted_on"]
    assert dt.date(2024, 10, 25) <= kribi.min() <= dt.date(2024, 12, 5)


def test_fuel_shock_shows_in_the_true_log_odds(portfolio):
    date = pd.to_datetime(portfolio.applications["submitted_on"])
    same_season = date.dt.month.between(4, 9)
    mean = portfolio.truth["true_logit"][same_season].groupby(date.dt.year).mean()
    assert mean[2024] - (mean[2023] + mean[2025]) / 2 == pytest.approx(0.28, abs=0.08)


@pytest.mark.parametrize(
    ("column", "share"),
    [
        ("revenu_mensuel", 0.07),
        ("anciennete_travail_mois", 0.085),
        ("mensualites_en_cours", 0.05),
        ("encours_autres_dettes", 0.05),
        ("situation_familiale", 0.02),
        ("sexe", 0.004),
    ],
)
def test_missing_shares(applications, column, share):
    assert applications[column].isna().mean() == pytest.approx(share, rel=0.15, abs=0.002)


def test_informal_incomes_are_missing_more_often(applications):
    missing = applications["revenu_mensuel"].isna().groupby(applications["type_contrat_travail"]).mean()
    assert missing["Informel"] == pytest.approx(0.13, abs=0.01)
    assert missing.drop("Informel").max() < 0.05


def test_dirt_is_there_and_within_the_dictionary(applications):
    impossible = applications["anciennete_travail_mois"] > 12 * (applications["age"] - 17)
    assert impossible.mean() == pytest.approx(0.002, abs=0.0007)
    own = applications.groupby("client_key")["revenu_mensuel"].transform("min")
    assert 0.0002 < (applications["revenu_mensuel"] > 7 * own).mean() < 0.003
    for column, (low, high) in RANGES.items():
        values = applications[column].dropna()
        assert low <= values.min(), column
        assert values.max() <= high, column


def test_codes_are_canonical(applications):
    for column, codes in {
        "type_contrat_travail": CONTRACTS,
        "type_credit": TYPES,
        "situation_familiale": SITUATIONS,
        "secteur": SECTORS,
        "sexe": ("F", "M"),
        "decision": ("accorde", "refuse"),
        "outcome": ("good", "default"),
    }.items():
        assert set(applications[column].dropna()) == set(codes)
        assert set(applications.loc[applications[column].isna(), column]) <= {None}
    assert {p for texts in PURPOSES["fr"].values() for p in texts} == set(applications["purpose"])


def test_purposes_are_the_same_in_both_languages():
    french, english = PURPOSES["fr"], PURPOSES["en"]
    assert {kind: len(texts) for kind, texts in french.items()} == {
        kind: len(texts) for kind, texts in english.items()
    }


def test_ratios_are_the_dictionary_formulas(applications):
    row = applications[applications["mensualites_en_cours"] > 0].dropna(subset=["revenu_mensuel"]).iloc[0]
    monthly = row["taux_interet"] / 1200
    instalment = row["montant_credit"] * monthly / (1 - (1 + monthly) ** -row["duree_mois"])
    service = 100 * (row["mensualites_en_cours"] + instalment) / row["revenu_mensuel"]
    debt = (row["encours_autres_dettes"] + row["montant_credit"]) / (12 * row["revenu_mensuel"])
    assert row["taux_endettement"] == pytest.approx(service, rel=1e-12)
    assert row["ratio_dette_revenu"] == pytest.approx(debt, rel=1e-12)


def test_ratios_are_unknown_with_the_income_or_the_debts(applications):
    unknown = applications["revenu_mensuel"].isna() | applications["mensualites_en_cours"].isna()
    for ratio in ("taux_endettement", "ratio_dette_revenu"):
        assert applications[ratio].isna().equals(unknown)


def test_debts_agree_with_one_another(applications):
    known = applications.dropna(subset=["mensualites_en_cours"])
    assert (known["mensualites_en_cours"] > 0).mean() == pytest.approx(0.325, abs=0.02)
    assert ((known["encours_autres_dettes"] > 0) == (known["mensualites_en_cours"] > 0)).all()
    in_debt = known[known["mensualites_en_cours"] > 0]
    assert (in_debt["encours_autres_dettes"] <= 24 * in_debt["mensualites_en_cours"] + 500).all()


def test_arrears_are_unknown_on_a_first_credit_only(applications):
    for column in ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j"):
        assert applications[column].isna().equals(applications["premier_credit"])


def test_arrears_are_nested_and_never_forgotten(applications):
    known = applications[~applications["premier_credit"]]
    assert (known["nb_retards_60j"] <= known["nb_retards_30j"]).all()
    assert (known["nb_retards_90j"] <= known["nb_retards_60j"]).all()
    assert (known.groupby("client_key")["nb_retards_30j"].diff().dropna() >= 0).all()


def test_a_default_shows_in_the_next_file(applications):
    previous = applications.groupby("client_key")[["outcome", "decision", "nb_retards_90j"]].shift()
    after_default = previous["outcome"].eq("default")
    gained = applications["nb_retards_90j"] - previous["nb_retards_90j"].fillna(0)
    assert after_default.sum() > 100
    assert (gained[after_default] >= 1).all()
    assert not applications.loc[previous["decision"].eq("accorde"), "premier_credit"].any()


def test_selection(portfolio):
    truth = portfolio.truth
    assert truth["refused"].mean() == pytest.approx(0.28, abs=0.02)
    assert truth.loc[truth["refused"], "default_if_granted"].mean() == pytest.approx(0.317, abs=0.03)
    repeat_trouble = portfolio.applications["nb_retards_90j"] >= 2
    assert truth.loc[repeat_trouble, "refused"].all()


def test_truth_agrees_with_what_was_observed(portfolio, labelled):
    observed = portfolio.truth.loc[labelled.index, "default_if_granted"]
    assert observed.equals(labelled["bad"].rename("default_if_granted"))
    rate = 1 / (1 + np.exp(-portfolio.truth["true_logit"]))
    assert rate.mean() == pytest.approx(portfolio.truth["default_if_granted"].mean(), abs=0.005)


def test_oracles(portfolio, labelled):
    truth = portfolio.truth.loc[labelled.index]
    assert roc_auc_score(labelled["bad"], truth["observable_logit"]) == pytest.approx(0.797, abs=0.015)
    assert roc_auc_score(labelled["bad"], truth["true_logit"]) == pytest.approx(0.82, abs=0.015)
    everyone = portfolio.truth
    assert roc_auc_score(everyone["default_if_granted"], everyone["observable_logit"]) == pytest.approx(
        0.825, abs=0.015
    )


def test_clients_are_distinct_and_fictional(portfolio):
    clients = portfolio.clients
    for column in ("client_key", "reference", "phone"):
        assert clients[column].is_unique, column
    assert clients["id_number"].dropna().is_unique
    assert clients["id_number"].dropna().str.startswith("FICTIF").all()
    assert clients["id_number"].isna().equals(clients["id_type"].isna())
    assert clients["phone"].str.fullmatch(r"\+23760\d{7}").all()


def test_ages_follow_from_birth_dates(portfolio):
    joined = portfolio.applications.merge(portfolio.clients[["client_key", "birth_date"]], on="client_key")
    ages = whole_years(days(joined["birth_date"]), days(joined["submitted_on"]))
    assert (ages == joined["age"]).all()


def test_age_in_whole_years_around_a_birthday():
    birth = days([dt.date(2000, 2, 29)] * 3)
    dates = days([dt.date(2026, 2, 27), dt.date(2026, 3, 1), dt.date(2024, 2, 29)])
    assert whole_years(birth, dates).tolist() == [25, 26, 24]


def test_months_are_added_by_calendar():
    start = days([dt.date(2024, 1, 31), dt.date(2024, 3, 31), dt.date(2023, 12, 15)])
    expected = days([dt.date(2024, 2, 29), dt.date(2023, 3, 31), dt.date(2024, 1, 15)])
    assert add_months(start, np.array([1, -12, 1])).tolist() == expected.tolist()


def test_names_are_many():
    assert len({name for group in names.FAMILY_NAMES.values() for name in group}) >= 120
    assert len({name for group in names.GIVEN_NAMES.values() for given in group for name in given}) >= 120


@pytest.mark.parametrize("cities", [["Paris"], []])
def test_a_city_without_agency_is_refused(cities):
    with pytest.raises(ValueError, match="no agency in"):
        generate(rows=10, as_of=AS_OF, seed=1, cities=cities)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="start at 1"):
        generate(rows=0, as_of=AS_OF, seed=1)
