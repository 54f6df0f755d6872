"""Choosing a password: one's own anew, or the first one through a link that works once."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone

from monitoring.views.finding import address_of, staff_of
from patients import audit
from patients.models import Staff


@login_required
def own_password(request: HttpRequest) -> HttpResponse:
    """Anybody's own; other sessions of the account end."""
    form = PasswordChangeForm(staff_of(request), request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        _note(request, staff_of(request))
        messages.success(request, "Your password is changed. Every other session of yours has ended.")
        return redirect("own_password")
    return render(request, "monitoring/own_password.html", {"form": form})


class Welcome(PasswordResetConfirmView):
    """The link of an invitation: it dies when the password is set."""

    template_name = "monitoring/welcome.html"
    success_url = reverse_lazy("sign_in")

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        """Set it, and say so in the trail."""
        answer = super().form_valid(form)
        _note(self.request, form.user)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return answer


def _note(request: HttpRequest, staff: Staff) -> None:
    for clinic_id in staff.memberships.filter(active=True).values_list("clinic_id", flat=True).distinct():
        audit.record(
            "password_set", by=staff, now=timezone.now(), clinic_id=clinic_id, subject=f"staff:{staff.pk}",
            ip=address_of(request),
        )  # fmt: skip
