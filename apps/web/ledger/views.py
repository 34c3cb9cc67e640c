from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.audit.services import record_read
from apps.credits.queries.ledger import get_visible_credit, histories_and_arrears, ledger_of, repayments_of
from apps.credits.rules import can_record_repayment, can_restructure, can_write_off
from apps.credits.services.ledger import record_repayment, restructure_credit, write_off
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.ledger import presenters
from apps.web.ledger.forms import RepaymentForm, RestructuringForm, WriteOffForm


def _credit_or_404(request: ActorRequest, uid: UUID) -> Any:
    try:
        return get_visible_credit(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None


@require_safe
@allow(Verb.READ_FILES)
def credit(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _credit_or_404(request, uid)
    record_read(by=request.actor, target=shown)
    histories, compared = histories_and_arrears(request.actor, shown.client)
    ledger = histories[shown.pk].ledger
    context = {
        "credit": shown,
        "facts": presenters.facts_of(shown, ledger),
        "terms": presenters.terms_of(shown),
        "schedule": presenters.schedule_lines(ledger),
        "repayments": presenters.repayment_lines(repayments_of(shown)),
        "compared": presenters.compared_lines(compared),
        "may_record": can_record_repayment(request.actor, shown),
        "may_write_off": can_write_off(request.actor, shown),
        "may_restructure": can_restructure(request.actor, shown),
    }
    return render(request, "ledger/detail.html", context)


@require_http_methods(["GET", "POST"])
@allow(Verb.DECIDE)
def credit_write_off(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _credit_or_404(request, uid)
    form = WriteOffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            write_off(uid=uid, by=request.actor, **form.cleaned_data)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The credit is written off. What is recovered is still recorded."))
            return redirect("web:credit", uid)
    return _form_page(request, form, shown, title=_("Write off the credit"), writes_off=True)


@require_http_methods(["GET", "POST"])
@allow(Verb.DECIDE)
def credit_restructure(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _credit_or_404(request, uid)
    form = RestructuringForm(request.POST or None, credit=shown)
    if request.method == "POST" and form.is_valid():
        try:
            restructure_credit(uid=uid, plan=form.plan(), by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The new schedule is in force."))
            return redirect("web:credit", uid)
    return _form_page(request, form, shown, title=_("Restructure the credit"))


def _form_page(request: ActorRequest, form: Any, credit: Any, **context: Any) -> HttpResponse:
    left = presenters.left_of(ledger_of(credit))
    context |= {"form": form, "credit": credit, "left": left}
    status = 422 if request.method == "POST" else 200
    return render(request, "ledger/change_form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@allow(Verb.EDIT_FILES)
def repayment_new(request: ActorRequest, uid: UUID) -> HttpResponse:
    shown = _credit_or_404(request, uid)
    form = RepaymentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _noted, new = record_repayment(uid=uid, receipt=form.receipt(), by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            text = _("The repayment is entered.") if new else _("This receipt was entered already.")
            messages.success(request, text)
            return redirect("web:credit", uid)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "credit": shown}
    return render(request, "ledger/repayment_form.html", context, status=status)
