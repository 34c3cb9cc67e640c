from django.db import models
from django.utils.translation import gettext_lazy as _


class ApplicationStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Awaiting decision")
    INCOMPLETE = "incomplete", _("To be completed")
    APPROVED = "approved", _("Approved")
    APPROVED_CONDITIONALLY = "approved_conditionally", _("Approved conditionally")
    DECLINED = "declined", _("Declined")
    DEFERRED = "deferred", _("Deferred")
    COUNTER_OFFERED = "counter_offered", _("Counter-offer")
    DISBURSED = "disbursed", _("Disbursed")
    CLOSED_NO_ACTION = "closed_no_action", _("Closed without action")
    CANCELLED = "cancelled", _("Cancelled")


class Outcome(models.TextChoices):
    GOOD = "good", _("Repaid")
    DEFAULT = "default", _("Defaulted")


class DocumentType(models.TextChoices):
    NATIONAL_ID = "cni", _("National identity card")
    RECEIPT = "recepisse", _("Identity card receipt")
    PASSPORT = "passeport", _("Passport")
    RESIDENCE = "carte_sejour", _("Residence card")
    TAX = "niu", _("Tax number (NIU)")


class Sex(models.TextChoices):
    FEMALE = "F", _("Female")
    MALE = "M", _("Male")


class FamilySituation(models.TextChoices):
    SINGLE = "celibataire", _("Single")
    MARRIED = "marie", _("Married")
    FREE_UNION = "union_libre", _("Free union")
    DIVORCED = "divorce", _("Divorced")
    WIDOWED = "veuf", _("Widowed")


class ContractType(models.TextChoices):
    CDI = "CDI", _("Permanent contract (CDI)")
    CDD = "CDD", _("Fixed-term contract (CDD)")
    INFORMAL = "Informel", _("Informal")
    SELF_EMPLOYED = "Indépendant", _("Self-employed")


class Likeness(models.TextChoices):
    """What two files share that makes them look like one person's."""

    DOCUMENT = "piece", _("Same document number")
    PHONE = "telephone", _("Same phone")
    NAME = "nom", _("Same name and date of birth")


class ConsentPurpose(models.TextChoices):
    DATA = "donnees", _("Use of the data for the application")
    BUREAU = "bureau", _("Consultation of the credit registers (CREMF, BIC)")


class ConsentMethod(models.TextChoices):
    WRITTEN = "ecrit", _("Signed on paper")
    ELECTRONIC = "electronique", _("Electronically")
    ORAL = "oral", _("Orally, before a witness")


class GuaranteeKind(models.TextChoices):
    PLEDGE = "gage", _("Pledge (gage)")
    SECURITY = "nantissement", _("Security interest (nantissement)")
    MORTGAGE = "hypotheque", _("Mortgage")
    ENDORSEMENT = "aval", _("Guarantor (aval)")
    JOINT_SURETY = "caution_solidaire", _("Joint surety")
    SALARY = "salaire_domicilie", _("Salary paid into an account here")
    SAVINGS = "epargne_nantie", _("Pledged savings")
    OTHER = "autre", _("Other")


REAL_SECURITIES = frozenset(
    {GuaranteeKind.PLEDGE, GuaranteeKind.SECURITY, GuaranteeKind.MORTGAGE, GuaranteeKind.SAVINGS}
)
PERSONAL_SURETIES = frozenset({GuaranteeKind.ENDORSEMENT, GuaranteeKind.JOINT_SURETY})


class ExternalStatus(models.TextChoices):
    ACTIVE = "active", _("Running")
    CLOSED = "closed", _("Closed")


class ExternalSource(models.TextChoices):
    DECLARED = "declare", _("Declared by the client")
    CREMF = "cremf", _("Risk register of microfinance (CREMF)")
    BIC = "bic", _("Credit bureau (BIC)")


REGISTERS = frozenset({ExternalSource.CREMF, ExternalSource.BIC})


class Piece(models.TextChoices):
    """What a file most often lacks."""

    IDENTITY = "identite", _("Valid identity document")
    INCOME = "revenu", _("Proof of income, or the book of takings and expenses")
    LOCATION = "localisation", _("Location plan of home and business")
    GUARANTEE = "garantie", _("Title or deed of the guarantee")
    SURETY = "aval", _("Surety's commitment and identity document")
    ACTIVITY = "activite", _("Proof of at least one year in business")
    CONTRIBUTION = "apport", _("Proof of own contribution")
    QUOTE = "devis", _("Pro-forma invoice or quote of the purchase")
    OTHER = "autre", _("Other")


class CancelReason(models.TextChoices):
    WITHDRAWN = "desistement", _("The client no longer wishes it")
    DUPLICATE = "doublon", _("Entered twice")
    MISTAKE = "erreur", _("Entered by mistake")
    UNREACHABLE = "injoignable", _("The client can no longer be reached")
    OTHER = "autre", _("Other")


class RepaymentKind(models.TextChoices):
    CONSTANT = "constant", _("Constant instalments")
    IN_FINE = "in_fine", _("Interest monthly, principal at the end")
    SEASONAL = "seasonal", _("One payment at the end of the season")


class CreditStatus(models.TextChoices):
    ACTIVE = "active", _("Current")
    CLOSED = "closed", _("Paid off")
    WRITTEN_OFF = "written_off", _("Written off")
    RESTRUCTURED = "restructured", _("Restructured")


class Exclusion(models.TextChoices):
    """Why a credit tells nothing of the risk of lending: counted, never an outcome."""

    STAFF = "staff", _("Loan to a member of staff")
    OVERDRAFT = "overdraft", _("Overdraft")
    FRAUD = "fraud", _("Fraud")
    DEATH = "death", _("Death of the borrower")


class EntrySource(models.TextChoices):
    """Where a line of the ledger comes from."""

    TYPED = "typed", _("Entered on a page")
    API = "api", _("Sent by a partner")
    IMPORT = "import", _("Imported file")
    REFINANCING = "refinancing", _("New credit that repays this one")
    SYNTHETIC = "synthetic", _("Fictional data")


class ImportStep(models.TextChoices):
    """How far an import has come; its job says whether the step is waiting, under way or done."""

    SETTLING = "settling", _("To be settled")
    CHECK = "check", _("Check")
    IMPORT = "import", _("Import")
    UNDO = "undo", _("Undoing")


class ImportMode(models.TextChoices):
    VALID = "valid", _("Valid rows only")
    ALL = "all", _("All or nothing")


class ImportState(models.TextChoices):
    """Where an import stands, for people and partners: its step and its job told together."""

    SETTLING = "settling", _("To be settled")
    CHECKING = "checking", _("Check under way")
    CHECKED = "checked", _("Checked, to be confirmed")
    IMPORTING = "importing", _("Import under way")
    IMPORTED = "imported", _("Imported")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class VariableKind(models.TextChoices):
    """Whose a variable of the dictionary is."""

    STANDARD = "standard", _("Standard")
    OWN = "own", _("Of the institution")


class ValueType(models.TextChoices):
    """What a variable holds; the codes are the engine's."""

    INTEGER = "integer", _("Whole number")
    DECIMAL = "decimal", _("Decimal number")
    CATEGORY = "category", _("List of codes")


class ValueUnit(models.TextChoices):
    """What a number counts; the codes are the engine's."""

    NONE = "", _("No unit")
    COUNT = "count", _("Count")
    XAF = "XAF", _("FCFA")
    XAF_PER_MONTH = "XAF_per_month", _("FCFA a month")
    YEARS = "years", _("Years")
    MONTHS = "months", _("Months")
    PERCENT = "percent", _("Percent")
    PERCENT_PER_YEAR = "percent_per_year", _("Percent a year")
    FRACTION = "fraction", _("Fraction")
    KM = "km", _("Kilometres")


class RiskDirection(models.TextChoices):
    """How the risk moves when the value rises; the codes are the engine's."""

    NONE = "", _("No direction: the data say")
    UP = "up", _("More of it raises the risk")
    DOWN = "down", _("More of it lowers the risk")


class ValueSource(models.TextChoices):
    """Where a value comes from; the codes are the engine's."""

    TYPED = "typed", _("Declared by the client, typed")
    OFFICER = "officer", _("Set by the officer")
    BUREAU = "bureau", _("Credit bureau or another lender")
    COMPUTED = "computed", _("Computed")


class Sensitivity(models.TextChoices):
    """For what alone a variable serves; the codes are the engine's."""

    NONE = "", _("None")
    FAIRNESS = "fairness", _("To check fairness only")


class VariableChange(models.TextChoices):
    """What was done to a variable of the dictionary."""

    DECLARED = "declared", _("Declared")
    CHANGED = "changed", _("Changed")
    RETIRED = "retired", _("Retired (variable)")


class Purpose(models.TextChoices):
    """Why a standard variable is asked, where the institution does not say it in its own words."""

    ELIGIBILITY = "eligibility", _("Age limits of the policy, and where the person stands in life.")
    FAIRNESS = "fairness", _("To check that advice treats groups alike; no model reads it.")
    MEANS = "means", _("What the household can repay each month.")
    STABILITY = "stability", _("How steady the income is.")
    REQUEST = "request", _("What is asked for: it sets the instalment and what may be lost.")
    ARREARS = "arrears", _("How earlier credits were repaid.")
    RELATION = "relation", _("How long and how well the client is known here.")
    SECURITY = "security", _("What would be recovered after a default.")
    VISIT = "visit", _("What the officer saw and explained.")
    ELSEWHERE = "elsewhere", _("What is owed and how it is repaid elsewhere.")
