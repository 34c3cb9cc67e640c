"""Examples of the bodies, for the document; a test checks each one against its schema."""

from typing import Any

CLIENT = "6b0b8d1e-31f0-4f0e-9e0e-2f5a9d3c7b11"
AGENCY = "0f8f2f6a-5a0a-4f3c-8d3f-0c8a8e6f1d22"
APPLICATION = "c1a5f0d4-7f7a-4d0b-a9c1-5e2b8f4d6a33"
PREDICTION = "7d9e4c2a-1b3f-4a6d-8c5e-9f0a1b2c3d44"
USER = "2e4f6a8c-0b1d-4c3e-a5f7-8d9e0f1a2b55"
CREDIT = "9a8b7c6d-5e4f-4a3b-92c1-d0e1f2a3b466"
LOAN = "1d2c3b4a-5f6e-4d7c-8b9a-a0b1c2d3e488"
REPAYMENT = "4b3a2c1d-6e5f-4c8b-9a7d-b1a0d3c2f599"
IMPORT = "8e7f6a5b-4c3d-4b2a-91f0-e1d2c3b4a500"
POLICY = "3f2e1d0c-9b8a-4756-a4b3-c2d1e0f9a8b7"
WEBHOOK = "5c3d2e1f-0a9b-4c8d-b7e6-f5a4d3c2b177"
NOW = "2026-11-21T09:12:44+01:00"

_VALUES = {
    "age": 38,
    "sexe": "F",
    "situation_familiale": "marie",
    "revenu_mensuel": 285_000,
    "type_contrat_travail": "Indépendant",
    "anciennete_travail_mois": 62,
    "montant_credit": 600_000,
    "duree_mois": 12,
    "taux_interet": 22.0,
    "type_credit": "fonds_de_roulement",
    "nb_retards_30j": 0,
    "nb_retards_60j": 0,
    "nb_retards_90j": 0,
    "taux_endettement": 28.5,
    "ratio_dette_revenu": 0.22,
}
_SCORE: dict[str, Any] = {
    "prediction": 0,
    "probabilite_defaut": 0.08430000000000001,
    "seuil_utilise": 0.15,
    "niveau_risque": "modere",
    "score": 606,
    "classe": "C",
    "recommandation": "etudier",
    "perte_attendue": 13_699,
    "montant_max_conseille": 450_000,
    "regles": [
        {
            "code": "endettement_max",
            "libelle": "Taux d'endettement maximal",
            "resultat": "violee",
            "valeur": 36.2,
            "limite": 33.0,
            "gravite": "a_revoir",
        }
    ],
    "facteurs": [
        {
            "variable": "taux_endettement",
            "libelle": "Taux d'endettement",
            "valeur": 36.2,
            "contribution": 0.41,
            "points": -30,
            "sens": "defavorable",
            "texte": "Avec ce crédit, 36,2 % du revenu irait aux remboursements : cela augmente le risque.",
        }
    ],
    "avertissements": ["donnees_anciennes"],
    "modele": {"nom": "defaut-imf", "version": "3", "statut": "champion"},
    "politique": {"version": 4},
    "date": NOW,
    "duree_ms": 7.9,
}
_CLIENT_LINE = {
    "id": CLIENT,
    "reference": "C-4F0E9E0E",
    "last_name": "Ngo Bassong",
    "first_names": "Marie Claire",
    "city": "Kribi",
    "agency": {"id": AGENCY, "code": "kribi"},
    "data_updated_on": "2026-11-21",
    "is_active": True,
    "merged_into": None,
}
_IDENTITY = {
    "last_name": "Ngo Bassong",
    "first_names": "Marie Claire",
    "birth_date": "1988-03-02",
    "sex": "F",
    "family_situation": "marie",
    "phone": "677001122",
    "city": "Kribi",
    "residence_region": "Sud",
    "document_type": "cni",
    "document_number": "112233445",
    "document_expires_on": "2031-05-01",
    "occupation": "Commerçante",
    "contract_type": "Indépendant",
    "contract_start": "2021-09-01",
    "monthly_income_xaf": 285_000,
    "prohibition_source": "",
    "prohibition_date": None,
}
_APPLICATION_LINE = {
    "id": APPLICATION,
    "reference": "D-A9C15E2B",
    "status": "draft",
    "client": {"id": CLIENT, "reference": "C-4F0E9E0E"},
    "agency": {"id": AGENCY, "code": "kribi"},
    "applied_on": "2026-11-21",
    "purpose": "Stock de pagnes",
    "montant_credit": 600_000,
    "duree_mois": 12,
    "type_credit": "fonds_de_roulement",
}
_LOAN = {name: _VALUES[name] for name in ("montant_credit", "duree_mois", "taux_interet", "type_credit")}
_PREDICTION_LINE = {
    "id": PREDICTION,
    "date": NOW,
    "probabilite_defaut": 0.08430000000000001,
    "prediction": 0,
    "score": 606,
    "classe": "C",
    "niveau_risque": "modere",
    "recommandation": "etudier",
    "montant_credit": 600_000,
    "duree_mois": 12,
    "origine": "api",
    "demande": APPLICATION,
    "client": CLIENT,
    "agence": AGENCY,
    "analyste": USER,
}
_CREDIT = {
    "lender": "Crédit du Sahel",
    "kind": "fonds_de_roulement",
    "amount_xaf": 300_000,
    "outstanding_xaf": 150_000,
    "monthly_payment_xaf": 25_000,
    "worst_late_days": 0,
    "source": "declare",
    "as_of": "2026-11-21",
}
_EXTERNAL = {"id": CREDIT, "client": CLIENT, **_CREDIT, "status": "active", "closed_on": None}
_AGENCY = {"code": "kribi", "name": "Agence de Kribi", "city": "Kribi", "region": "Sud", "is_active": True}
_USER = {
    "id": USER,
    "email": "m.essomba@exemple.cm",
    "full_name": "Martin Essomba",
    "role": "agent",
    "is_active": True,
    "agencies": [AGENCY],
    "created_at": NOW,
}
_ENTRY = {
    "id": CREDIT,
    "at": NOW,
    "actor_kind": "user",
    "actor_name": "Martin Essomba",
    "action": "client.update",
    "object_type": "credits.client",
    "object": CLIENT,
    "before": None,
    "after": {"fields": ["city"]},
    "request_id": "0f8f2f6a5a0a4f3c8d3f0c8a8e6f1d22",
    "address": "203.0.113.7",
}
_CONSENT = {"given_on": "2026-11-21", "method": "ecrit", "withdrawn_on": None}


def _page(line: dict[str, Any]) -> dict[str, Any]:
    return {"results": [line], "next_cursor": None, "next": None}


_IMPORT_LINE: dict[str, Any] = {
    "id": IMPORT,
    "target": "clients",
    "file": "clients.csv",
    "status": "checked",
    "rows_total": 2,
    "progress": 100,
    "counts": {"read": 2, "new": 1, "updated": 0, "unchanged": 0, "duplicate": 0, "rejected": 1},
    "created_at": NOW,
    "links": {
        "self": f"/api/v1/imports/{IMPORT}",
        "rejects": f"/api/v1/imports/{IMPORT}/rejects",
        "problems": f"/api/v1/imports/{IMPORT}/problems",
    },
}
_COSTS = {
    "amount_xaf": 150_000,
    "months": 9,
    "rate_percent": 20.0,
    "cost_of_funds_percent": 6.0,
    "fee_percent": 1.0,
    "file_cost_xaf": 3_000,
    "computed": True,
}
_RULE = {
    "code": "montant_max",
    "severity": "bloquante",
    "limit": 10_000_000,
    "limit_by_type": {"scolaire": 3_000_000},
}
_POLICY = {
    "id": POLICY,
    "status": "approved",
    "version": 5,
    "effective_from": "2026-12-01",
    "in_force": {"since": "2026-12-01T00:00:00+01:00", "until": None},
    "figures": {
        "default_threshold": 0.15,
        "thresholds": {"scolaire": 0.12946428571428573},
        "grade_limits": [0.02, 0.05, 0.1, 0.2],
        "points_at_base_odds": 600,
        "base_odds": 10.0,
        "pdo": 50.0,
        "points_min": 300,
        "points_max": 850,
        "lgd": 0.5,
        "lgd_secured": 0.35,
        "ead_amortised": 0.65,
        "ead_in_fine": 1.0,
        "rules": [_RULE],
    },
    "costs": {"prudence_cap": 0.2, "by_type": {"scolaire": _COSTS}},
    "worked": {
        "scolaire": {
            "margin_xaf": 7250.0,
            "loss_xaf": 48_750.0,
            "threshold": 0.12946428571428573,
            "profitable": True,
        }
    },
    "differences": [{"figure": "default_threshold", "before": 0.18, "after": 0.15}],
    "reason": "Retards en hausse depuis la rentrée",
    "proposed_by": USER,
    "decided_by": AGENCY,
    "decided_at": NOW,
    "decision_reason": "Vu en comité du 20 novembre",
    "created_at": NOW,
}
_WEBHOOK = {
    "id": WEBHOOK,
    "url": "https://partenaire.exemple.cm/credisense",
    "events": ["prediction.created"],
    "is_active": True,
    "created_at": NOW,
}

_CREDIT_LINE = {
    "id": LOAN,
    "reference": "P-2026-000412",
    "status": "active",
    "client": {"id": CLIENT, "reference": "C-000412"},
    "agency": {"id": AGENCY, "code": "kribi"},
    "application": APPLICATION,
    "amount_xaf": 600_000,
    "disbursed_on": "2026-08-20",
    "rate_percent": 22.0,
    "duration_months": 12,
    "repayment_kind": "constant",
}
_INSTALLMENT = {
    "number": 3,
    "schedule_from": "2026-08-20",
    "due_on": "2026-11-20",
    "principal_xaf": 46_828,
    "interest_xaf": 9_329,
    "paid_xaf": 0,
    "settled_on": None,
    "replaced": False,
}
_RECEIPT = {"credit": LOAN, "reference": "Q-001893", "paid_on": "2026-11-21", "amount_xaf": 56_157}
_REPAYMENT = {"id": REPAYMENT, **_RECEIPT, "source": "api", "created_at": NOW}

#: Name of a schema -> its example.
_SUMMARY = {
    "lignes_lues": 2,
    "lignes_scorees": 1,
    "rejets": 1,
    "probabilite_moyenne": 0.08430000000000001,
    "taux_defaut_predit": 0.0,
    "perte_attendue": 13699,
    "niveaux": {"faible": 0, "modere": 1, "eleve": 0},
    "classes": {"A": 0, "B": 0, "C": 1, "D": 0, "E": 0},
    "recommandations": {"accorder": 0, "etudier": 1, "refuser": 0},
    "hors_domaine": 0,
    "colonnes": [{"colonne": "age", "variable": "age", "conversion": ""}],
    "modele": {"nom": "defaut-imf", "version": "3", "statut": "champion"},
    "politique": {"version": 4},
}
_MODEL_LINE = {
    "id": "0e6b6f0e-8f6e-4a6f-9f0e-5a4c3b2a1908",
    "name": "grille-agence",
    "version": "1",
    "segment": "tous",
    "status": "candidate",
    "training_data": "expert",
    "origin": "imported",
    "calibrated": False,
    "sha256": "9f2c4d1e7a8b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d",
    "created_at": NOW,
}
_MODEL_URL = f"/api/v1/models/{_MODEL_LINE['id']}"
_GATE = {
    "code": "declared_rate",
    "label": "Taux de défaut déclaré",
    "verdict": "passed",
    "figure": 0.09,
    "low": 0.005,
    "high": 0.4,
    "text": "",
}
_SCORECARD = {
    "format": "scorecard-1",
    "name": "grille-agence",
    "version": "1",
    "declared_default_rate": 0.09,
    "variables": [
        {"name": "nb_retards_30j", "cuts": [1, 3], "points": [15, -20, -60], "missing": 0},
        {"name": "type_contrat_travail", "points": {"CDI": 25, "CDD": 0, "Informel": -15, "Indépendant": 0}},
    ],
}
_RUN_LINE = {
    "id": "7b2f6c1e-3a4d-4e5f-9a6b-0c1d2e3f4a5b",
    "number": 3,
    "status": "done",
    "origin": "asked",
    "candidates": ["default", "scorecard", "logistic"],
    "recommended": "default",
    "observed_on": "2026-11-21",
    "created_at": NOW,
}
_RUN_URL = f"/api/v1/training-runs/{_RUN_LINE['id']}"
_RUN_SETTINGS = {
    "candidates": ["default", "scorecard", "logistic"],
    "split": "auto",
    "folds": 5,
    "seed": 42,
    "search": "none",
    "search_seconds": 120,
    "sampling": "none",
}
EXAMPLES: dict[str, Any] = {
    "NewTrainingRun": {**_RUN_SETTINGS, "observed_on": "2026-11-21"},
    "KeepCandidate": {"kind": "default"},
    "TrainingRunLinePage": _page(_RUN_LINE),
    "TrainingRun": {
        **_RUN_LINE,
        "progress": 100,
        "step": "done",
        "error": "",
        "horizon_months": 12,
        "settings": _RUN_SETTINGS,
        "data": {"rows": 5430, "defaults": 508, "excluded": {"young": 4120, "refused": 2380}},
        "data_sha256": "4e1c9f2d7a8b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d",
        "result": {"recommended": {"kind": "default", "reason": "best", "deployable_kind": "default"}},
        "versions": {"default": _MODEL_LINE["id"]},
        "links": {
            "self": _RUN_URL,
            "cancel": f"{_RUN_URL}/cancel",
            "retry": f"{_RUN_URL}/retry",
            "keep": f"{_RUN_URL}/candidate",
        },
    },
    "ModelLinePage": _page(_MODEL_LINE),
    "ModelVersion": {
        **_MODEL_LINE,
        "metrics": {"declared_default_rate": 0.09, "own": {"rows": 12, "defaults": 1}},
        "period": {},
        "promotion": {
            "id": "5c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f",
            "status": "proposed",
            "reason": "Départ sans historique",
            "explanation": "",
            "starts_at": None,
            "proposed_by": "Responsable des risques",
            "proposed_at": NOW,
            "decided_by": None,
            "decided_at": None,
            "gates": [_GATE],
        },
        "times": [],
        "links": {
            "self": _MODEL_URL,
            **{name: f"{_MODEL_URL}/{name}" for name in ("export", "promote", "approve", "rollback")},
        },
    },
    "Scorecard": _SCORECARD,
    "ModelFile": {"file": "grille-agence-1.zip", "segment": "tous"},
    "Promote": {"reason": "Départ sans historique", "starts_at": "2026-11-23T08:00:00+01:00"},
    "Rollback": {"reason": "Scores trop sévères depuis la rentrée"},
    "Login": {"email": "m.essomba@exemple.cm", "password": "Quatre-Manguiers-Bleus-9"},
    "Tokens": {"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…", "expires_in": 600},
    "Refresh": {"refresh": "eyJhbGciOi…"},
    "Predict": _VALUES,
    "Prediction": {"id": PREDICTION, **_SCORE},
    "PredictionDetail": {"id": PREDICTION, **_SCORE, "entrees": _VALUES},
    "PredictionLinePage": _page(_PREDICTION_LINE),
    "Simulate": {"base": _VALUES, "changes": [{"montant_credit": 450_000}, {"duree_mois": 18}]},
    "Simulation": {"resultats": [{"modifications": {"montant_credit": 450_000}, **_SCORE}]},
    "NewClient": {
        "agency": AGENCY,
        **_IDENTITY,
        "data_consent": True,
        "bureau_consent": False,
        "consent_method": "ecrit",
    },
    "NewPolicy": {
        "effective_from": "2026-12-01",
        "reason": "Retards en hausse depuis la rentrée",
        "figures": {"default_threshold": 0.15},
        "costs": {"by_type": {"scolaire": _COSTS}},
    },
    "PolicyDecision": {"reason": "Vu en comité du 20 novembre"},
    "ScoringPolicy": _POLICY,
    "ScoringPolicyPage": _page(_POLICY),
    "NewWebhook": {"url": _WEBHOOK["url"], "events": ["prediction.created"]},
    "PatchedWebhookChange": {"is_active": False},
    "Webhook": _WEBHOOK,
    "WebhookWithSecret": {**_WEBHOOK, "secret": "whsec_Zm9yZXQgZGUgbWFuZ3VpZXJz"},
    "WebhookPage": _page(_WEBHOOK),
    "PatchedClientChange": {"phone": "699001122", "monthly_income_xaf": 310_000},
    "Client": {
        **_CLIENT_LINE,
        **_IDENTITY,
        "data_consent": _CONSENT,
        "bureau_consent": {"given_on": None, "method": "", "withdrawn_on": None},
        "created_at": NOW,
        "updated_at": NOW,
    },
    "ClientLinePage": _page(_CLIENT_LINE),
    "NewApplication": {"client_id": CLIENT, "purpose": "Stock de pagnes", **_LOAN},
    "PatchedApplicationChange": {"montant_credit": 450_000},
    "Application": {
        **_APPLICATION_LINE,
        "variables": _VALUES,
        "submitted_at": None,
        "cancel_reason": "",
        "piece_requests": [],
        "created_at": NOW,
        "updated_at": NOW,
    },
    "ApplicationLinePage": _page(_APPLICATION_LINE),
    "Submit": {"answer": "Récépissé de la carte d'identité joint"},
    "Return": {"pieces": ["identite"], "note": "La carte a expiré en mars"},
    "Cancel": {"reason": "desistement"},
    "NewExternalCredit": {"client": CLIENT, **_CREDIT},
    "PatchedExternalCreditChange": {"outstanding_xaf": 125_000},
    "Close": {"on": "2026-11-21"},
    "ExternalCredit": _EXTERNAL,
    "ExternalCreditPage": _page(_EXTERNAL),
    "NewCredit": {"application": APPLICATION, "disbursed_on": "2026-08-20", "reference": "P-2026-000412"},
    "CreditLinePage": _page(_CREDIT_LINE),
    "Credit": {
        **_CREDIT_LINE,
        "closed_on": None,
        "written_off_on": None,
        "restructured_on": None,
        "for_difficulty": False,
        "refinances": None,
        "exclusion": "",
        "position": {
            "on": "2026-11-21",
            "outstanding_xaf": 508_859,
            "overdue_xaf": 56_157,
            "payable_xaf": 561_570,
            "days_past_due": 1,
            "next_due_on": "2026-11-20",
            "next_xaf": 56_157,
            "settlement_xaf": 518_188,
        },
        "delays": {"thirty": 0, "sixty": 0, "ninety": 0},
        "created_at": NOW,
        "updated_at": NOW,
    },
    "InstallmentPage": _page(_INSTALLMENT),
    "WriteOff": {"on": "2026-11-21", "reason": "Introuvable, visites à domicile sans suite"},
    "Restructuring": {
        "on": "2026-11-21",
        "duration_months": 18,
        "rate_percent": 18.0,
        "repayment_kind": "constant",
        "for_difficulty": True,
        "reason": "Étal détruit par un incendie",
    },
    "NewRepayment": _RECEIPT,
    "Repayment": _REPAYMENT,
    "RepaymentPage": _page(_REPAYMENT),
    "AgencyChange": _AGENCY,
    "PatchedAgencyChange": {"is_active": False},
    "Agency": {"id": AGENCY, **_AGENCY},
    "AgencyPage": _page({"id": AGENCY, **_AGENCY}),
    "NewUser": {
        "email": "m.essomba@exemple.cm",
        "full_name": "Martin Essomba",
        "password": "Quatre-Manguiers-Bleus-9",
        "role": "agent",
        "agencies": [AGENCY],
    },
    "PatchedUserChange": {"is_active": False},
    "User": _USER,
    "UserPage": _page(_USER),
    "AuditEntry": _ENTRY,
    "AuditEntryPage": _page(_ENTRY),
    "Welcome": {
        "product": "CrediSense",
        "version": "0.1.0",
        "variables": 15,
        "links": {
            "schema": "/api/schema",
            "login": "/api/v1/login",
            "features_names": "/api/v1/features-names",
            "predict": "/api/v1/predict",
        },
    },
    "Replay": {
        "id": PREDICTION,
        "identique": True,
        "enregistre": {"probabilite_defaut": 0.08430000000000001},
        "recalcule": {"probabilite_defaut": 0.08430000000000001},
    },
    "NewImport": {"file": "clients.csv", "target": "clients"},
    "ImportLinePage": _page(_IMPORT_LINE),
    "Import": {
        **_IMPORT_LINE,
        "mode": "valid",
        "keep_duplicates": False,
        "error": "",
        "quality": 73,
        "problems": [
            {
                "line": 3,
                "column": "Téléphone",
                "value": "12",
                "problem": "Ce n'est pas un numéro de téléphone.",
                "what_to_do": "Écrivez neuf chiffres, ou la forme internationale qui commence par +.",
            }
        ],
        "confirmed_at": None,
        "undone_at": None,
    },
    "ImportProposal": {
        "headers": ["Code client", "Nom"],
        "lines": [["C-001", "Essomba"]],
        "columns": [
            {"header": "Code client", "field": "reference", "conversion": "", "certain": True},
            {"header": "Nom", "field": "last_name", "conversion": "", "certain": True},
        ],
        "questions": [],
        "fields": [{"name": "reference", "label": "Référence", "kind": "text", "required": True}],
    },
    "ImportCheck": {
        "reading": {"encoding": "cp1252", "separator": ";"},
        "columns": [
            {"header": "Code client", "field": "reference"},
            {"header": "Revenu", "field": "monthly_income_xaf", "conversion": "annual_to_monthly"},
        ],
    },
    "ImportConfirm": {"mode": "valid", "keep_duplicates": False},
    "File": {"file": "portefeuille.csv", "format": "excel"},
    "ScoredFile": {
        "id": "0b0e5ac3-57d3-4a5e-9a7c-6a3ae1a1c001",
        "lignes": [
            {
                "ligne": 2,
                "id": "0b0e5ac3-57d3-4a5e-9a7c-6a3a00000002",
                "client_reference": "C-4F0E9E0E",
                "prediction": 0,
                "probabilite_defaut": 0.08430000000000001,
                "seuil_utilise": 0.15,
                "niveau_risque": "modere",
                "score": 606,
                "classe": "C",
                "recommandation": "etudier",
                "perte_attendue": 13699,
                "facteurs": [],
                "avertissements": [],
            }
        ],
        "rejets": [
            {
                "ligne": 3,
                "motifs": [
                    {
                        "colonne": "age",
                        "valeur": "17",
                        "code": "out_of_range",
                        "detail": "L'âge doit être compris entre 18 et 80 ans.",
                    }
                ],
            }
        ],
        "resume": _SUMMARY,
    },
    "Batch": {
        "id": "0b0e5ac3-57d3-4a5e-9a7c-6a3ae1a1c001",
        "status": "done",
        "fichier": "portefeuille.csv",
        "lignes_total": 2,
        "lignes_lues": 2,
        "lignes_scorees": 1,
        "rejets": 1,
        "pourcentage": 100,
        "fin_estimee": None,
        "erreur": "",
        "resume": _SUMMARY,
        "date": "2026-11-21T09:12:44+01:00",
        "links": {
            "self": "/api/v1/batches/0b0e5ac3-57d3-4a5e-9a7c-6a3ae1a1c001",
            "result": "/api/v1/batches/0b0e5ac3-57d3-4a5e-9a7c-6a3ae1a1c001/result",
            "cancel": "/api/v1/batches/0b0e5ac3-57d3-4a5e-9a7c-6a3ae1a1c001/cancel",
            "retry": "/api/v1/batches/0b0e5ac3-57d3-4a5e-9a7c-6a3ae1a1c001/retry",
        },
    },
    "FeaturesNames": {
        "modele": {"nom": "defaut-imf", "version": "3", "statut": "champion"},
        "variables": [
            {
                "name": "age",
                "label": "Âge",
                "type": "integer",
                "unit": "years",
                "min": 18,
                "max": 80,
                "categories": [],
                "required": True,
                "direction": None,
                "used": True,
            }
        ],
    },
    "Problem": {
        "type": "about:blank",
        "title": "Valeurs refusées",
        "status": 422,
        "detail": "Certaines valeurs ne peuvent pas être utilisées.",
        "code": "invalid_values",
        "fields": {"age": ["L'âge doit être compris entre 18 et 80 ans."]},
        "request_id": "0f8f2f6a5a0a4f3c8d3f0c8a8e6f1d22",
    },
}
