"""Drafts of forms: kept as one types, offered when the form is opened again.

A form gets them in four steps. Its view calls ``offer_draft`` where it shows the form, gives ``initial`` of
the answer to the form and the answer to the template as ``draft``, and calls ``forget_draft`` once the form
is sent. Its template includes ``components/draft_notice.html`` above the form, puts
``data-draft="{{ draft.url }}"`` on the form and includes ``components/draft_status.html`` beside its button.
"""
