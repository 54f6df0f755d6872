"""Settings: where they are, and the clinic's own: on-call address, unit, time zone, numbers, laboratories."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.setting_up import (
    change_laboratory,
    expect_of_feed,
    may_change_zone,
    set_policies,
    set_up_clinic,
)
from monitoring.feed_health import since
from monitoring.models import Feed
from monitoring.rules.errors import InputError
from monitoring.rules.units import PER_MICROLITRE
from monitoring.setting_forms import ClinicForm, FeedForm, LaboratoryForm, PoliciesForm
from monitoring.views.finding import address_of, clinic_or_404, staff_of
from monitoring.views.two_steps import confirm_page, confirmed, typed
from patients.access import clinics_of
from patients.models import Clinic
from patients.policies import POLICIES

NOTHING = "Nothing was changed: everything is as it was."


@login_required
def settings_home(request: HttpRequest) -> HttpResponse:
    """Every clinic that this person looks after, and what can be set there."""
    found = clinics_of(staff_of(request), "set_up_clinic").order_by("name")
    clinics = list(found.prefetch_related("laboratories", "feeds"))
    if not clinics:
        raise Http404
    page = {
        "clinics": [
            (clinic, [(policy, policy.spoken(clinic.policy(policy.name))) for policy in POLICIES]) for clinic in clinics
        ]
    }
    return render(request, "monitoring/settings_home.html", page)


@login_required
def clinic_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """On-call address, unit and zone; what follows is shown before."""
    clinic = clinic_or_404(request, slug)
    names = ("on_call_email", "count_unit", "time_zone")
    form = ClinicForm(request.POST or None, initial={name: getattr(clinic, name) for name in names})
    movable = may_change_zone(clinic)
    if not movable:
        form.fields["time_zone"].disabled = True
        form.fields["time_zone"].help_text = (
            "Stays while the clinic has patients: their due dates are days in this zone. For another zone set up"
            " another clinic and transfer the patients."
        )
    if typed(request, form):
        follows = _clinic_consequences(clinic, form.cleaned_data)
        if not follows:
            messages.info(request, NOTHING)
            return redirect("settings")
        if not confirmed(request):
            title = f"Change the settings of {clinic}?"
            return _confirm(request, title, form, follows)
        try:
            set_up_clinic(
                clinic=clinic, by=staff_of(request), now=timezone.now(), ip=address_of(request), **form.cleaned_data
            )
        except InputError as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, f"The settings of {clinic} are changed.")
            return redirect("settings")
    return setting_page(request, f"{clinic}: address, unit, time zone", form)


@login_required
def clinic_policies(request: HttpRequest, slug: str) -> HttpResponse:
    """The clinic's numbers, each with what it means and how far it may be turned."""
    clinic = clinic_or_404(request, slug)
    form = PoliciesForm(request.POST or None, clinic=clinic)
    if typed(request, form):
        follows = [
            f"{policy.label}: {policy.spoken(form.cleaned_data[policy.name])}, until now"
            f" {policy.spoken(clinic.policy(policy.name))}."
            for policy in POLICIES
            if form.cleaned_data[policy.name] != clinic.policy(policy.name)
        ]
        if not follows:
            messages.info(request, NOTHING)
            return redirect("settings")
        if not confirmed(request):
            later = "This holds for alerts and transfers from now on; clocks that run already run on as they were set."
            return _confirm(request, f"Change the policies of {clinic}?", form, [*follows, later])
        set_policies(
            clinic=clinic, values=form.cleaned_data, by=staff_of(request), now=timezone.now(), ip=address_of(request)
        )
        messages.success(request, f"The policies of {clinic} are changed.")
        return redirect("settings")
    return setting_page(request, f"{clinic}: policies", form, many=True)


@login_required
def laboratory(request: HttpRequest, slug: str, laboratory_id: int) -> HttpResponse:
    """How a laboratory's export is read; used from the next import on."""
    clinic = clinic_or_404(request, slug)
    found = get_object_or_404(clinic.laboratories, pk=laboratory_id)
    form = LaboratoryForm(request.POST or None, columns=found.columns, initial={"name": found.name, "unit": found.unit})
    if typed(request, form):
        said = {"name": form.cleaned_data["name"], "unit": form.cleaned_data["unit"], "columns": form.columns()}
        if not confirmed(request):
            return _confirm(request, f"Change how {found}'s files are read?", form, _laboratory_consequences(said))
        try:
            change_laboratory(
                laboratory=found, by=staff_of(request), now=timezone.now(), ip=address_of(request), **said
            )
        except InputError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, f"{said['name']} is changed.")
            return redirect("settings")
    return setting_page(request, f"{found}: how its files are read", form)


@login_required
def feed(request: HttpRequest, slug: str, feed_id: int) -> HttpResponse:
    """When the silence of a source means something."""
    feeds = Feed.objects.filter(clinic=clinic_or_404(request, slug)).select_related("clinic")
    found = get_object_or_404(feeds, pk=feed_id)
    form = FeedForm(request.POST or None, initial={"hours": found.expected_hours})
    if typed(request, form):
        hours = form.cleaned_data["hours"]
        if not confirmed(request):
            after = f"after {hours} hours" if hours else "when it is silent for longer than is usual"
            follows = [
                f"{after.capitalize()} without a message {found} counts as silent: admins and on-call are told once.",
                "While it is silent its patients are shown as “result late”, not “overdue”. They stay on the list.",
            ]
            return _confirm(request, f"Change what is expected of {found}?", form, follows)
        expect_of_feed(feed=found, hours=hours, by=staff_of(request), now=timezone.now(), ip=address_of(request))
        messages.success(request, f"What is expected of {found} is changed.")
        return redirect("settings")
    return setting_page(request, f"{found}: when it counts as silent (last message {since(found)})", form)


def setting_page(request: HttpRequest, title: str, form: Form, **more: object) -> HttpResponse:
    """A form by itself, with what was typed and what was wrong."""
    page = {"title": title, "form": form, "back": reverse("settings"), "go_on": "Show what it means"}
    return render(request, "monitoring/settings_form.html", page | more)


def _confirm(request: HttpRequest, title: str, form: Form, consequences: list[str]) -> HttpResponse:
    return confirm_page(
        request, title=title, form=form, consequences=consequences, go_on="Change it so", back=reverse("settings")
    )


def _clinic_consequences(clinic: Clinic, said: Mapping[str, str]) -> list[str]:
    found = []
    if (new := said["on_call_email"]) != clinic.on_call_email:
        found.append(
            f"Alerts that nobody answers go to {new} and no longer to {clinic.on_call_email}. Both addresses are told."
        )
    if (unit := said["count_unit"]) != clinic.count_unit:
        usual = "1500" if unit in PER_MICROLITRE else "1.5"
        found.append(
            f"Counts are typed in {unit} instead of {clinic.count_unit}: an ANC of 1500 per microlitre is then typed"
            f" as {usual}. Tell everybody who types; results that are stored stay as they are, and files and programs"
            " say their own unit."
        )
    if (zone := said["time_zone"]) != clinic.time_zone:
        found.append(f"Days, and so all due dates, are days in {zone} instead of {clinic.time_zone}.")
    return found


def _laboratory_consequences(said: Mapping[str, object]) -> list[str]:
    columns: Mapping[str, str] = said["columns"]  # type: ignore[assignment]  # a mapping of texts
    read = [f"“{theirs}” is read as {ours.replace('_', ' ')}." for ours, theirs in columns.items() if theirs]
    unit = said["unit"] or "what each row says"
    return [*read, f"The unit is {unit}.", "This holds from the next import on; results that are stored stay."]
