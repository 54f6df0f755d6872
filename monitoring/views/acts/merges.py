"""What a patient's page has to say of merges."""

from django.db.models import Q

from monitoring.models import Merge, Treatment


def merged(treatment: Treatment) -> dict[str, object]:
    """Into which record this one was merged, and which were merged into it. A merged record offers no acts."""
    rows = Merge.objects.filter(Q(kept=treatment) | Q(merged=treatment), undone_at=None)
    standing = list(rows.select_related("kept__patient", "merged__patient", "by"))
    into = next((row for row in standing if row.merged_id == treatment.pk), None)
    found: dict[str, object] = {"merged_into": into, "merged_here": [row for row in standing if row is not into]}
    return found | ({"acts": [], "may_record": False} if into else {})
