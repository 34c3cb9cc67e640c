from django.db import migrations

# Policies that stood before proposals existed: each has one too, so that the history is whole.
FIRST = """
INSERT INTO scoring_policyproposal (
    uid, institution_id, figures, costs, effective_from, reason, status, opening, policy_id, created_at,
    decided_at, decision_reason
)
SELECT gen_random_uuid(), institution_id, figures, costs, effective_from, reason, 'approved', true, id,
    created_at, created_at, ''
FROM scoring_scoringpolicy
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0008_policy_life")]

    operations = [migrations.RunSQL(FIRST, migrations.RunSQL.noop)]
