"""What targets refuse, in sentences for the person who sent the file. Each target adds its codes here."""

from collections.abc import Callable

from django.utils.translation import gettext as _

#: Of applications, credits and what follows them.
_OF_CREDITS: dict[str, Callable[[], str]] = {
    "unknown_application": lambda: _("No application that you see has this reference."),
    "unknown_credit": lambda: _("No credit that you see has this reference."),
    "other_client": lambda: _("This reference is that of another client."),
    "other_application": lambda: _("This credit belongs to another application."),
    "reference_too_long": lambda: _("The reference made of this line has more than 40 characters."),
    "kept_here": lambda: _("This was entered or decided in CrediSense: a file cannot change it."),
    "age_on_the_day": lambda: _("The client would be %(age)s on that day: between 18 and 80 is accepted."),
    "arrears_incoherent": lambda: _(
        "Delays of 30 days include those of 60, and these those of 90: the counts say otherwise. The row is"
        " imported all the same."
    ),
    "arrears_understated": lambda: _(
        "Fewer delays than the earlier credits here had (30, 60 and 90 days: %(computed)s). The row is"
        " imported all the same."
    ),
    "outcome_of_refused": lambda: _("A refused application has no outcome."),
    "outcome_known": lambda: _("Another outcome was noted here."),
    "outcome_too_early": lambda: _("The outcome is before the application of %(date)s."),
    "has_credit": lambda: _("This application has another credit already (%(credit)s)."),
    "not_granted": lambda: _("This application was not granted."),
    "no_client": lambda: _("The line tells neither the application nor the client."),
    "no_type": lambda: _("The application is not here, and the line does not tell the type of credit."),
    "amount_too_small": lambda: _("The amount is less than a franc a month."),
    "more_than_granted": lambda: _("The application was granted for %(granted)s FCFA."),
    "before_application": lambda: _("The money cannot leave before the application of %(date)s."),
    "before_disbursement": lambda: _("This date is before the disbursement, on %(date)s."),
    "closed_when": lambda: _("The credit is paid off and the line does not tell since when."),
    "written_off_when": lambda: _("The credit is written off and the line does not tell since when."),
    "ended_already": lambda: _("This credit has ended: a file does not open it again."),
    "no_such_earlier": lambda: _("This client has no earlier credit under this reference."),
    "due_too_early": lambda: _("The schedule begins on %(date)s only."),
    "no_principal": lambda: _("The line does not tell the principal of the instalment."),
    "parts_and_total": lambda: _("Principal and interest do not make up the total."),
    "receipt_used": lambda: _("This receipt number is already used for another repayment."),
    "after_closing": lambda: _("The credit is paid off since %(date)s."),
    "no_days_late": lambda: _("No column of the file tells the days late."),
}
_ADVICE_ON_CREDITS: dict[str, Callable[[], str]] = {
    "unknown_application": lambda: _("Import the applications first, or correct the reference."),
    "unknown_credit": lambda: _("Import the credits first, or correct the reference."),
    "other_client": lambda: _("Correct the reference of the client, or that of the line."),
    "other_application": lambda: _("Correct the reference of the application, or leave it out."),
    "reference_too_long": lambda: _("Give the application a reference of its own."),
    "kept_here": lambda: _("Change it on its page, if you may."),
    "age_on_the_day": lambda: _("Check the date, and the date of birth in the client's file."),
    "arrears_incoherent": lambda: _("Count in each column all the delays of at least so many days."),
    "arrears_understated": lambda: _("Compare with the ledger in the client's file."),
    "outcome_of_refused": lambda: _("Correct the decision, or leave the outcome empty."),
    "outcome_known": lambda: _("Leave the outcome empty to keep the one that is here."),
    "outcome_too_early": lambda: _("Check both dates."),
    "has_credit": lambda: _("Correct the reference of the application."),
    "not_granted": lambda: _("Correct the reference, or import the decision first."),
    "no_client": lambda: _("Fill in the reference of the client, or that of the application."),
    "no_type": lambda: _("Fill in the type of credit, or import the application first."),
    "amount_too_small": lambda: _("Check the amount and the term."),
    "more_than_granted": lambda: _("Check the amount, or the reference of the application."),
    "before_application": lambda: _("Check both dates."),
    "before_disbursement": lambda: _("Check the date, and the reference of the credit."),
    "closed_when": lambda: _("Fill in the date on which it was paid off."),
    "written_off_when": lambda: _("Fill in the date of the write-off."),
    "ended_already": lambda: _("Leave the status empty, or undo the import that ended it."),
    "no_such_earlier": lambda: _("Correct the reference of the credit that is repaid."),
    "due_too_early": lambda: _("Check the date, and the order of day and month."),
    "no_principal": lambda: _("Fill in the principal, or the total and the interest."),
    "parts_and_total": lambda: _("Correct one of the three amounts."),
    "receipt_used": lambda: _("Correct the receipt number."),
    "after_closing": lambda: _("Check the date, and the reference of the credit."),
    "no_days_late": lambda: _("Say which column holds the days late."),
}

#: Code -> the rule that was broken; ``%(name)s`` comes from the arguments of the problem (JSON).
RULES: dict[str, Callable[[], str]] = {
    "repeated": lambda: _("“%(key)s” is already on an earlier line of the file."),
    "unknown_agency": lambda: _("No agency that you see has this code or name."),
    "unknown_client": lambda: _("No client that you see has this reference."),
    "unseen": lambda: _("The text has line breaks, tabs or characters that cannot be seen."),
    "phone": lambda: _("This is not a phone number."),
    "minor": lambda: _("The client is under 18."),
    "too_old": lambda: _("The client would be over 110."),
    "client_elsewhere": lambda: _("This reference is already used in your institution."),
    "agency_missing": lambda: _("The row does not say which agency holds the file."),
    "no_source": lambda: _("Say where the prohibition comes from."),
    "same_document": lambda: _("Same identity document as client %(client)s."),
    "same_phone": lambda: _("Same phone as client %(client)s."),
    "same_name": lambda: _("Same name and date of birth as client %(client)s."),
    "same_document_above": lambda: _("Same identity document as an earlier line of the file."),
    "same_phone_above": lambda: _("Same phone as an earlier line of the file."),
    "same_name_above": lambda: _("Same name and date of birth as an earlier line of the file."),
    "merged": lambda: _("This file was merged into another one."),
    "no_bureau_consent": lambda: _("The client had not consented to a consultation on this date."),
    "older": lambda: _("What is stored of this credit is more recent."),
    **_OF_CREDITS,
}

#: Code -> what to do about it.
ADVICE: dict[str, Callable[[], str]] = {
    "repeated": lambda: _("Keep one line only."),
    "unknown_agency": lambda: _("Write the code of an agency as in the list of agencies."),
    "unknown_client": lambda: _("Import the clients first, or correct the reference."),
    "unseen": lambda: _("Write the text on one line."),
    "phone": lambda: _("Write nine digits, or the international form that begins with +."),
    "minor": lambda: _("Check the date of birth, and the order of day and month."),
    "too_old": lambda: _("Check the year of birth."),
    "client_elsewhere": lambda: _("Correct the reference, or ask the agency that holds this file."),
    "agency_missing": lambda: _("Fill in the agency of the row."),
    "same_document": lambda: _("Use the same reference if it is the same person; else correct the document."),
    "same_phone": lambda: _("Use the same reference if it is the same person; else import duplicates too."),
    "same_name": lambda: _("Use the same reference if it is the same person; else import duplicates too."),
    "same_document_above": lambda: _("Keep one line if it is the same person."),
    "same_phone_above": lambda: _("Keep one line if it is the same person; else import duplicates too."),
    "same_name_above": lambda: _("Keep one line if it is the same person; else import duplicates too."),
    "merged": lambda: _("Use the reference of the file that was kept."),
    "no_bureau_consent": lambda: _("Note the consent in the client's file first."),
    **_ADVICE_ON_CREDITS,
}
