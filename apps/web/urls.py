from django.urls import path

from apps.web.accounts import openid, profile
from apps.web.accounts import views as accounts
from apps.web.applications import deciding, lists
from apps.web.applications import views as application
from apps.web.audit import views as audit
from apps.web.batches import views as batches
from apps.web.clients import duplicates, editing, securities
from apps.web.clients import views as client
from apps.web.comparing import views as comparing
from apps.web.credits import views as credit
from apps.web.decisions import limits
from apps.web.dictionary import views as dictionary
from apps.web.drafts import views as drafts
from apps.web.feedback import views as feedback
from apps.web.glossary import views as glossary
from apps.web.home import views as home
from apps.web.imports import views as imports
from apps.web.ledger import views as ledger
from apps.web.monitoring import views as monitoring
from apps.web.policy import views as policy
from apps.web.portfolio import views as portfolio
from apps.web.quality import views as quality
from apps.web.registry import editor, profiles, promoting
from apps.web.registry import views as registry
from apps.web.reports import views as reports
from apps.web.scoring import views as scoring
from apps.web.search import views as search
from apps.web.simulation import views as simulation
from apps.web.style import views as style
from apps.web.training import views as training

app_name = "web"

urlpatterns = [
    path("", home.home, name="home"),
    path("connexion", accounts.log_in, name="login"),
    path("connexion/code", accounts.log_in_code, name="login_code"),
    path("connexion/<uuid:uid>", openid.institution_log_in, name="institution_log_in"),
    path("connexion/<uuid:uid>/aller", openid.openid_start, name="openid_start"),
    path("connexion/<uuid:uid>/retour", openid.openid_return, name="openid_return"),
    path("mot-de-passe/oublie", profile.password_forgotten, name="password_forgotten"),
    path("mot-de-passe/nouveau", profile.password_reset, name="password_reset"),
    path("profil", profile.profile, name="profile"),
    path("profil/langue", profile.profile_language, name="profile_language"),
    path("profil/theme", profile.profile_theme, name="profile_theme"),
    path("profil/mot-de-passe", profile.password_change, name="password_change"),
    path("profil/sessions", profile.profile_sessions, name="profile_sessions"),
    path("profil/double-authentification", profile.second_factor, name="second_factor"),
    path("profil/double-authentification/arret", profile.second_factor_off, name="second_factor_off"),
    path("invitation", accounts.invitation, name="invitation"),
    path("deconnexion", accounts.log_out, name="logout"),
    path("a-traiter", lists.inbox, name="inbox"),
    path("demandes", lists.applications, name="applications"),
    path("clients", client.clients, name="clients"),
    path("clients/nouveau", editing.client_new, name="client_new"),
    path("clients/doublons", duplicates.duplicates, name="duplicates"),
    path("clients/<uuid:uid>", client.client, name="client"),
    path("clients/<uuid:uid>/scores", comparing.client_scores, name="client_scores"),
    path("clients/<uuid:uid>/scores.csv", comparing.client_scores_csv, name="client_scores_csv"),
    path("clients/<uuid:uid>/doublons", duplicates.client_duplicates, name="client_duplicates"),
    path("clients/<uuid:uid>/fusionner", duplicates.client_merge, name="client_merge"),
    path("clients/<uuid:uid>/distinguer", duplicates.client_keep_apart, name="client_keep_apart"),
    path("clients/<uuid:uid>/defaire-fusion", duplicates.client_part, name="client_part"),
    path("clients/<uuid:uid>/modifier", editing.client_edit, name="client_edit"),
    path("clients/<uuid:uid>/confirmer", editing.client_confirm, name="client_confirm"),
    path("clients/<uuid:uid>/consentement", editing.client_consent, name="client_consent"),
    path("clients/<uuid:uid>/offres", editing.client_offers, name="client_offers"),
    path("clients/<uuid:uid>/garanties/nouvelle", securities.guarantee_new, name="guarantee_new"),
    path("garanties/<uuid:uid>/mainlevee", securities.guarantee_release, name="guarantee_release"),
    path("clients/<uuid:uid>/credits-externes/nouveau", securities.debt_new, name="external_credit_new"),
    path("credits-externes/<uuid:uid>/solde", securities.debt_close, name="external_credit_close"),
    path("credits/<uuid:uid>", ledger.credit, name="credit"),
    path("credits/<uuid:uid>/perte", ledger.credit_write_off, name="credit_write_off"),
    path("credits/<uuid:uid>/restructuration", ledger.credit_restructure, name="credit_restructure"),
    path("credits/<uuid:uid>/remboursements/nouveau", ledger.repayment_new, name="repayment_new"),
    path("demandes/nouvelle", credit.application_new, name="application_new"),
    path("demandes/<uuid:uid>", application.application, name="application"),
    path("demandes/<uuid:uid>/modifier", application.application_edit, name="application_edit"),
    path("demandes/<uuid:uid>/score", application.application_score, name="application_score"),
    path("demandes/<uuid:uid>/transmettre", application.application_submit, name="application_submit"),
    path("demandes/<uuid:uid>/reprendre", application.application_withdraw, name="application_withdraw"),
    path("demandes/<uuid:uid>/pieces", application.application_return, name="application_return"),
    path("demandes/<uuid:uid>/annuler", application.application_cancel, name="application_cancel"),
    path("demandes/<uuid:uid>/rouvrir", application.application_reopen, name="application_reopen"),
    path("demandes/<uuid:uid>/decider", deciding.application_decide, name="application_decide"),
    path("demandes/<uuid:uid>/reexamen", deciding.application_review, name="application_review"),
    path("demandes/<uuid:uid>/retravailler", deciding.application_resume, name="application_resume"),
    path("derogations/<uuid:uid>/confirmer", deciding.override_confirm, name="override_confirm"),
    path("derogations/<uuid:uid>/refuser", deciding.override_refuse, name="override_refuse"),
    path("derogations/<uuid:uid>/retirer", deciding.override_withdraw, name="override_withdraw"),
    path("reexamens/<uuid:uid>/maintenir", deciding.review_keep, name="review_keep"),
    path("delegations", limits.limits, name="limits"),
    path("delegations/plafonds", limits.limit_set, name="limit_set"),
    path("delegations/motifs", limits.motive_add, name="motive_add"),
    path("delegations/motifs/<uuid:uid>", limits.motive_switch, name="motive_switch"),
    path("simuler", simulation.credit_simulation, name="credit_simulation"),
    path("demandes/<uuid:uid>/simuler", simulation.simulation, name="simulation"),
    path(
        "demandes/<uuid:uid>/simuler/reprendre", simulation.simulation_take_over, name="simulation_take_over"
    ),
    path("demandes/<uuid:uid>/scenarios", simulation.scenario_keep, name="scenario_keep"),
    path("scenarios/<uuid:uid>/retirer", simulation.scenario_remove, name="scenario_remove"),
    path("comparaison", comparing.comparison, name="comparison"),
    path("demandes/verifier", credit.field_check, name="field_check"),
    path("recherche", search.search, name="search"),
    path("brouillons", drafts.draft, name="draft"),
    path("portefeuille", portfolio.portfolio, name="portfolio"),
    path("portefeuille.csv", portfolio.portfolio_csv, name="portfolio_csv"),
    path("portefeuille/coherence", portfolio.consistency, name="consistency"),
    path("portefeuille/coherence.csv", portfolio.consistency_csv, name="consistency_csv"),
    path("portefeuille/vues", portfolio.portfolio_view_save, name="portfolio_view_save"),
    path(
        "portefeuille/vues/<uuid:uid>/supprimer",
        portfolio.portfolio_view_delete,
        name="portfolio_view_delete",
    ),
    path("prospects", portfolio.prospects, name="prospects"),
    path("prospects.csv", portfolio.prospects_csv, name="prospects_csv"),
    path("glossaire", glossary.glossary, name="glossary"),
    path("dictionnaire", dictionary.dictionary, name="dictionary"),
    path("dictionnaire/nouvelle", dictionary.variable_new, name="variable_new"),
    path("dictionnaire/<slug:name>", dictionary.variable, name="variable"),
    path("dictionnaire/<slug:name>/modifier", dictionary.variable_edit, name="variable_edit"),
    path("dictionnaire/<slug:name>/retirer", dictionary.variable_retire, name="variable_retire"),
    path("avis", feedback.feedback, name="feedback"),
    path("avis/recus", feedback.feedback_received, name="feedback_received"),
    path("alertes", feedback.alerts, name="alerts"),
    path("scores", scoring.scores, name="scores"),
    path("scores/<uuid:uid>", scoring.score, name="score"),
    path("scores/<uuid:uid>/fiche", scoring.score_print, name="score_print"),
    path("scores/<uuid:uid>/recalcul", scoring.score_replay, name="score_replay"),
    path("scores/<uuid:uid>/second-avis", scoring.score_second_opinion, name="score_second_opinion"),
    path("scores/<uuid:uid>/changements", comparing.score_changes, name="score_changes"),
    path("scores/<uuid:uid>/dossiers-semblables", comparing.score_neighbours, name="score_neighbours"),
    path("imports", imports.imports, name="imports"),
    path("imports/modeles/<slug:target>", imports.import_template, name="import_template"),
    path("imports/<uuid:uid>", imports.import_run, name="import"),
    path("imports/<uuid:uid>/colonnes", imports.import_columns, name="import_columns"),
    path("imports/<uuid:uid>/confirmer", imports.import_confirm, name="import_confirm"),
    path("imports/<uuid:uid>/arreter", imports.import_cancel, name="import_cancel"),
    path("imports/<uuid:uid>/defaire", imports.import_undo, name="import_undo"),
    path("imports/<uuid:uid>/rejets", imports.import_rejects, name="import_rejects"),
    path("imports/<uuid:uid>/problemes", imports.import_report, name="import_report"),
    path("scoring-par-lot", batches.batches, name="batches"),
    path("scoring-par-lot/fichiers/<uuid:uid>", batches.batch_prepare, name="batch_prepare"),
    path("scoring-par-lot/<uuid:uid>", batches.batch, name="batch"),
    path("scoring-par-lot/<uuid:uid>/resultat", batches.batch_result, name="batch_result"),
    path("scoring-par-lot/<uuid:uid>/annuler", batches.batch_cancel, name="batch_cancel"),
    path("qualite-des-donnees", quality.quality, name="quality"),
    path("scoring-par-lot/<uuid:uid>/reprendre", batches.batch_retry, name="batch_retry"),
    path("modeles", registry.models, name="models"),
    path("modeles/suivi", monitoring.monitoring, name="monitoring"),
    path("modeles/<uuid:uid>/suivi", monitoring.model_monitoring, name="model_monitoring"),
    path("modeles/<uuid:uid>/suivi.csv", monitoring.model_monitoring_csv, name="model_monitoring_csv"),
    path("modeles/alertes/<uuid:uid>", monitoring.monitoring_alert, name="monitoring_alert"),
    path("modeles/alertes/<uuid:uid>/revue", monitoring.monitoring_review, name="monitoring_review"),
    path("modeles/alertes/<uuid:uid>/conclusion", monitoring.monitoring_conclude, name="monitoring_conclude"),
    path("modeles/profils", profiles.model_profiles, name="model_profiles"),
    path("modeles/importer", registry.model_import, name="model_import"),
    path("modeles/installer", promoting.model_install, name="model_install"),
    path("modeles/grille", editor.scorecard_new, name="scorecard_new"),
    path("modeles/<uuid:uid>", registry.model, name="model"),
    path("modeles/<uuid:uid>/export", registry.model_export, name="model_export"),
    path("modeles/<uuid:uid>/grille.json", registry.model_scorecard, name="model_scorecard"),
    path("modeles/<uuid:uid>/proposer", promoting.model_propose, name="model_propose"),
    path("modeles/<uuid:uid>/approuver", promoting.model_approve, name="model_approve"),
    path("modeles/<uuid:uid>/refuser", promoting.model_decline, name="model_decline"),
    path("modeles/<uuid:uid>/retirer", promoting.model_withdraw, name="model_withdraw"),
    path("modeles/<uuid:uid>/retour", promoting.model_rollback, name="model_rollback"),
    path("modeles/<uuid:uid>/essayer", promoting.model_challenge, name="model_challenge"),
    path("modeles/<uuid:uid>/arreter", promoting.model_unchallenge, name="model_unchallenge"),
    path("modeles/<uuid:uid>/recaler", promoting.model_recalibrate, name="model_recalibrate"),
    path("entrainements", training.trainings, name="trainings"),
    path("entrainements/nouveau", training.training_new, name="training_new"),
    path("entrainements/<uuid:uid>", training.training, name="training"),
    path("entrainements/<uuid:uid>/courbes", training.training_curves, name="training_curves"),
    path("entrainements/<uuid:uid>/chiffres", training.training_numbers, name="training_numbers"),
    path("entrainements/<uuid:uid>/arreter", training.training_cancel, name="training_cancel"),
    path("entrainements/<uuid:uid>/reprendre", training.training_retry, name="training_retry"),
    path("entrainements/<uuid:uid>/retenir", training.training_keep, name="training_keep"),
    path("rapports", reports.reports, name="reports"),
    path("rapports/nouveau/<slug:kind>", reports.report_new, name="report_new"),
    path("rapports/programmes", reports.report_schedules, name="report_schedules"),
    path("rapports/programmer/<slug:kind>", reports.report_schedule, name="report_schedule"),
    path("rapports/programmes/<uuid:uid>/arreter", reports.report_schedule_stop, name="report_schedule_stop"),
    path("rapports/<uuid:uid>", reports.report, name="report"),
    path("rapports/<uuid:uid>/fichier", reports.report_file, name="report_file"),
    path("politique", policy.policy, name="policy"),
    path("politique/simulation", policy.policy_simulation, name="policy_simulation"),
    path("politique/nouvelle", policy.policy_new, name="policy_new"),
    path("politique/<uuid:uid>", policy.policy_version, name="policy_version"),
    path("politique/<uuid:uid>/approuver", policy.policy_approve, name="policy_approve"),
    path("politique/<uuid:uid>/rejeter", policy.policy_reject, name="policy_reject"),
    path("politique/<uuid:uid>/retirer", policy.policy_withdraw, name="policy_withdraw"),
    path("audit", audit.audit, name="audit"),
    path("audit/export", audit.audit_export, name="audit_export"),
    path("audit/integrite", audit.audit_check, name="audit_check"),
    path("audit/<uuid:uid>", audit.audit_entry, name="audit_entry"),
    path("style", style.style, name="style"),
]
