"""The words of credit that pages use, each with a definition in plain words; the only list of them."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.engine.dictionary import fold


@dataclass(frozen=True, slots=True)
class Term:
    """``key`` is the anchor on the glossary's page; ``name`` and ``text`` are in the reader's language."""

    key: str
    name: str | Promise
    text: str | Promise


TERMS = {
    term.key: term
    for term in (
        Term(
            "pd",
            _("Probability of default"),
            _(
                "The chance, between 0 and 100%, that a client stops repaying for 90 days or more within "
                "the year. 8% means that of a hundred such files, about eight end that way."
            ),
        ),
        Term(
            "score",
            _("Score"),
            _(
                "The probability of default written in points, from 300 to 850: the more points, the "
                "lower the risk."
            ),
        ),
        Term(
            "grade",
            _("Grade"),
            _("A letter from A (lowest risk) to E (highest risk) that sums up the score."),
        ),
        Term(
            "threshold",
            _("Decision threshold"),
            _("The probability of default from which the institution's policy advises against the credit."),
        ),
        Term(
            "band",
            _("Risk level"),
            _("Low, moderate or high: three zones of the probability of default, set by the credit policy."),
        ),
        Term(
            "advice",
            _("Recommendation"),
            _(
                "What the score and the rules advise: favourable, to be studied, unfavourable. A person "
                "of the institution decides."
            ),
        ),
        Term(
            "expected-loss",
            _("Expected loss"),
            _(
                "What the institution loses on average on credits like this one: probability of default ×"
                " exposure × loss given default."
            ),
        ),
        Term(
            "lgd",
            _("Loss given default"),
            _(
                "The share of the money owed that is not recovered after a default, guarantees and "
                "recovery taken into account."
            ),
        ),
        Term(
            "exposure",
            _("Exposure"),
            _("What the client would owe on the day of the default."),
        ),
        Term(
            "max-amount",
            _("Maximal advised amount"),
            _("The largest amount for which the recommendation would stay favourable, all else being equal."),
        ),
        Term(
            "factor",
            _("Factors"),
            _(
                "What raised or lowered this score, in points. A factor explains the computation; it does"
                " not judge the person."
            ),
        ),
        Term(
            "residual-income",
            _("Residual income"),
            _("What the household has left each month once expenses and all repayments are paid."),
        ),
        Term(
            "debt-service-ratio",
            _("Debt service ratio"),
            _(
                "The share of the monthly income that goes to repaying credits, this one included. A "
                "third is a common limit."
            ),
        ),
        Term(
            "debt-to-income",
            _("Debt to income"),
            _("All that is owed, this credit included, compared with the income of one year."),
        ),
        Term(
            "repayment-capacity",
            _("Repayment capacity"),
            _("What the household can pay back each month without going short."),
        ),
        Term(
            "instalment",
            _("Monthly payment"),
            _("What is paid back each month: a part of the principal and the interest."),
        ),
        Term(
            "schedule",
            _("Repayment schedule"),
            _("The list of due dates of a credit, with the amount due on each."),
        ),
        Term(
            "nominal-rate",
            _("Nominal rate"),
            _("The yearly interest rate of the contract, without fees or insurance."),
        ),
        Term(
            "apr",
            _("Annual percentage rate (TEG)"),
            _(
                "The yearly cost of the credit, all included: interest, fees, commissions and compulsory "
                "insurance."
            ),
        ),
        Term(
            "usury",
            _("Usury ceiling"),
            _("The rate above which lending is forbidden; it is published for each kind of credit."),
        ),
        Term(
            "outstanding",
            _("Outstanding balance"),
            _("The principal that remains to be repaid on a given day."),
        ),
        Term(
            "overdue",
            _("Overdue payment"),
            _("A due date that has passed without being paid in full; it is counted in days past due."),
        ),
        Term(
            "default",
            _("Default"),
            _("A payment overdue by 90 days or more, or a credit written off."),
        ),
        Term(
            "par",
            _("Portfolio at risk (PAR 30)"),
            _(
                "The share of the outstanding balances whose oldest unpaid due date is more than 30 days "
                "old. The whole balance counts, not only what is overdue."
            ),
        ),
        Term(
            "provision",
            _("Provision"),
            _("Money set aside for credits that may not be repaid."),
        ),
        Term(
            "write-off",
            _("Write-off"),
            _(
                "Taking out of the accounts a credit that is no longer expected to be repaid. The client "
                "still owes it."
            ),
        ),
        Term(
            "guarantee",
            _("Guarantee"),
            _(
                "What the institution may call upon if the client does not repay: a property, a pledge, "
                "or a person who commits."
            ),
        ),
        Term(
            "real-security",
            _("Real security"),
            _("A guarantee on a thing: mortgage, pledge."),
        ),
        Term(
            "surety",
            _("Guarantor"),
            _(
                "A person who commits to repay in place of the client; « aval » when the commitment is on"
                " a bill."
            ),
        ),
        Term(
            "joint-guarantee",
            _("Joint guarantee"),
            _("The members of a group commit for one another: any of them may be asked for the whole."),
        ),
        Term(
            "rescheduled",
            _("Rescheduled credit"),
            _("A credit whose due dates were moved because the client could not follow them."),
        ),
        Term(
            "calibration",
            _("Calibration"),
            _("Whether announced probabilities come true: among files given 10%, one in ten should default."),
        ),
        Term(
            "drift",
            _("Drift"),
            _(
                "Clients or results that move away from those the model learnt from; it must then be "
                "looked at again."
            ),
        ),
        Term(
            "champion",
            _("Champion model"),
            _(
                "The model whose score is used today. A challenger is tried beside it, without any effect"
                " on decisions."
            ),
        ),
        Term(
            "scorecard",
            _("Scorecard"),
            _("A model written as a table: each answer gives points, which are added."),
        ),
        Term(
            "vintage",
            _("Vintage"),
            _("The credits granted in the same period, followed together as they age."),
        ),
        Term(
            "policy",
            _("Credit policy"),
            _(
                "The institution's own figures and rules: threshold, ceilings, reasons to refuse. It is "
                "dated and has versions."
            ),
        ),
        Term(
            "override",
            _("Override"),
            _("A decision that goes against the recommendation. It is reasoned, signed and followed."),
        ),
        Term(
            "counter-offer",
            _("Counter-offer"),
            _("Another amount or term, offered because what was asked for cannot be granted."),
        ),
        Term(
            "four-eyes",
            _("Four eyes"),
            _("Two persons for one act: who proposes does not approve."),
        ),
        Term(
            "risk-registry",
            _("Risk registry, credit bureau"),
            _(
                "The files that lenders share on credits in progress. They may be consulted with the "
                "client's consent."
            ),
        ),
        Term(
            "consent",
            _("Consent"),
            _("The client's free agreement to the use of personal data, with its date. It can be withdrawn."),
        ),
        Term(
            "audit-trail",
            _("Audit trail"),
            _("Who did what and when: each act leaves an entry that nobody can change."),
        ),
    )
}

#: Field of a form -> the term that explains it.
FIELD_TERMS = {
    "taux_interet": "nominal-rate",
    "encours_autres_dettes": "outstanding",
    "mensualites_en_cours": "instalment",
    "consent": "consent",
    "nb_retards_30j": "overdue",
}


def by_name() -> list[Term]:
    """Return the terms in the alphabetical order of the reader's language."""
    return sorted(TERMS.values(), key=lambda term: fold(str(term.name)))
