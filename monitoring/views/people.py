"""Staff of a clinic and their roles, for its admins. Nobody's patients are shown here, only how many there are."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions.staffing import invite, roles_at, send_password_link, set_roles
from monitoring.doors import in_the_hands_of, people_of, person_by_email
from monitoring.rules.errors import InputError
from monitoring.setting_forms import InviteForm, KnownPersonForm, RolesForm
from monitoring.views.finding import address_of, clinic_or_404, staff_of
from monitoring.views.setting_up import NOTHING, setting_page
from monitoring.views.two_steps import confirm_page, confirmed, typed
from patients.access import SEES_PATIENTS
from patients.models import Clinic, Membership, Role, Staff

LABELS = dict(Role.choices)


@login_required
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Everybody who works here or did."""
    clinic = clinic_or_404(request, slug)
    mine = Membership.objects.filter(clinic=clinic, active=True).order_by("role")
    found = people_of(clinic).prefetch_related(Prefetch("memberships", mine, to_attr="here"))
    rows = [(person, ", ".join(row.get_role_display() for row in person.here)) for person in found]
    page = {"clinic": clinic, "rows": rows, "me": staff_of(request)}
    return render(request, "monitoring/people.html", page)


@login_required
def invite_person(request: HttpRequest, slug: str) -> HttpResponse:
    """A new account; its password is chosen by the person, through a link that works once."""
    clinic = clinic_or_404(request, slug)
    form = InviteForm(request.POST or None)
    if typed(request, form):
        said = dict(form.cleaned_data)
        show = said.pop("how") == "show"
        if not confirmed(request):
            return _confirm_invitation(request, clinic, form, show=show)
        try:
            person, link = invite(
                clinic=clinic, by=staff_of(request), now=timezone.now(), ip=address_of(request), show=show, **said
            )
        except InputError as error:
            form.add_error(error.field, error.message)
        else:
            if link:
                page = {"clinic": clinic, "person": person, "link": request.build_absolute_uri(link)}
                return render(request, "monitoring/link_once.html", page)
            messages.success(request, f"{person} is invited; the link is on its way to {person.email}.")
            return redirect("people", clinic.slug)
    return setting_page(request, f"{clinic}: somebody new", form, back=reverse("people", args=[clinic.slug]))


@login_required
def add_known_person(request: HttpRequest, slug: str) -> HttpResponse:
    """A role here for somebody whose account works at another clinic."""
    clinic = clinic_or_404(request, slug)
    form, back = KnownPersonForm(request.POST or None), reverse("people", args=[clinic.slug])
    if typed(request, form):
        person = person_by_email(form.cleaned_data["known_email"])
        roles = form.cleaned_data["roles"]
        if person is None:
            form.add_error("known_email", "No account has this address; invite them as somebody new.")
        elif not confirmed(request):
            title = f"Give {person} a role at {clinic}?"
            line = f"{person} is {_in_words(set(roles))} at {clinic} as well, with the password they have."
            return confirm_page(request, title=title, form=form, consequences=[line], go_on="Give it", back=back)
        elif _changed(request, clinic, person, form, set(roles) | roles_at(clinic, person)):
            return redirect("people", clinic.slug)
    return setting_page(request, f"{clinic}: somebody with an account", form, back=back)


@login_required
def person_roles(request: HttpRequest, slug: str, staff_id: int) -> HttpResponse:
    """What one person is here. To take every role away ends their work here."""
    clinic = clinic_or_404(request, slug)
    person, back = get_object_or_404(people_of(clinic), pk=staff_id), reverse("people", args=[clinic.slug])
    held = roles_at(clinic, person)
    form = RolesForm(request.POST or None, clinic=clinic, person=person, initial={"roles": sorted(held)})
    own = person == staff_of(request)
    if typed(request, form):
        roles, successor = set(form.cleaned_data["roles"]), form.cleaned_data["successor"]
        if roles == held:
            messages.info(request, NOTHING)
            return redirect("people", clinic.slug)
        if not own and not confirmed(request):
            follows = _consequences(clinic, person, held, roles, successor)
            title = f"Change what {person} is at {clinic}?"
            return confirm_page(request, title=title, form=form, consequences=follows, go_on="Change it so", back=back)
        if _changed(request, clinic, person, form, roles, successor):
            return redirect("people", clinic.slug)
    more = {"person": person, "own": own, "clinic": clinic, "held": held}
    return setting_page(request, str(person), form, back=back, **more)


@login_required
@require_POST
def person_password(request: HttpRequest, slug: str, staff_id: int) -> HttpResponse:
    """A new password link, to the person's own address and to nobody's eyes here."""
    clinic = clinic_or_404(request, slug)
    here = people_of(clinic).filter(memberships__clinic=clinic, memberships__active=True)
    person = get_object_or_404(here, pk=staff_id)
    try:
        send_password_link(
            clinic=clinic, person=person, by=staff_of(request), now=timezone.now(), ip=address_of(request)
        )
    except InputError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"A link that sets a new password is on its way to {person.email}.")
    return redirect("person_roles", clinic.slug, person.pk)


def _changed(
    request: HttpRequest,
    clinic: Clinic,
    person: Staff,
    form: RolesForm | KnownPersonForm,
    roles: set[str],
    successor: Staff | None = None,
) -> bool:
    """True when the roles are changed; else the form says why not."""
    try:
        set_roles(
            clinic=clinic, person=person, roles=roles, successor=successor, by=staff_of(request), now=timezone.now(),
            ip=address_of(request),
        )  # fmt: skip
    except InputError as error:
        form.add_error("roles", error.message)
        return False
    messages.success(request, f"{person} is {_in_words(roles)} at {clinic} now.")
    return True


def _confirm_invitation(request: HttpRequest, clinic: Clinic, form: InviteForm, *, show: bool) -> HttpResponse:
    said = form.cleaned_data
    way = "is shown to you once" if show else f"goes to {said['email']}"
    who, roles = f"{said['given_name']} {said['family_name']}", _in_words(set(said["roles"]))
    follows = [
        f"{who} gets an account, signs in as {said['name']}, and is {roles} at {clinic}.",
        f"The link that sets the password {way}; it works once and for three days.",
    ]
    back = reverse("people", args=[clinic.slug])
    return confirm_page(
        request, title="Invite this person?", form=form, consequences=follows, go_on="Invite", back=back
    )


def _consequences(clinic: Clinic, person: Staff, held: set[str], roles: set[str], successor: Staff | None) -> list[str]:
    found = [f"{person} is {_in_words(roles)} at {clinic}; until now {_in_words(held)}. It holds at once."]
    if held & set(SEES_PATIENTS) and not roles & set(SEES_PATIENTS):
        patients, alerts = (rows.count() for rows in in_the_hands_of(person, clinic))
        heir = str(successor or "nobody, so the on-call address is told")
        found.append(
            f"They no longer see any patient here. Patients: {patients}, open alerts: {alerts}; both go to {heir}."
        )
    if not roles:
        found.append("They keep their account only where they work at another clinic. Nothing they did is lost.")
    return found


def _in_words(roles: set[str]) -> str:
    return " and ".join(LABELS[role].lower() for role in Role.values if role in roles) or "nothing"
