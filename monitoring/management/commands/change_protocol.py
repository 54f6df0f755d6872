"""manage.py change_protocol: what another protocol would change for a clinic, with a bar; stopped, it goes on later."""

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from monitoring.actions.carrying_on import go_on, works
from monitoring.actions.foreseeing import begin_change, counts_of
from monitoring.models import Kind, ProtocolChange, RowState
from monitoring.rules.errors import InputError
from monitoring.rules.protocols import PROTOCOLS
from patients.access import may
from patients.models import Clinic, Staff

A_TURN = 5.0


class Command(BaseCommand):
    """Foresees, and goes on with what is begun. Only a prescriber on the page confirms that patients are switched."""

    help = "Preview another protocol for a whole clinic; or go on with a preview or a confirmed change."

    def add_arguments(self, parser: CommandParser) -> None:
        """What is asked."""
        parser.add_argument("--clinic", help="the clinic's short name")
        parser.add_argument("--to", metavar="PROTOCOL", help=f"one of {', '.join(PROTOCOLS)}")
        parser.add_argument("--reason", default="", help="why the protocol changes")
        parser.add_argument("--by", metavar="USERNAME", help="who asks; a nurse or prescriber of the clinic")
        parser.add_argument("--go-on", type=int, metavar="NUMBER", help="the change to go on with")
        parser.add_argument("--processes", type=int, default=1, help="how many processes share the work (default 1)")
        parser.add_argument("--quiet", action="store_true", help="no bar and no summary")

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin or find the change, do the work with as many hands as asked, and say what was found."""
        change = self._begun(options) if options["go_on"] is None else self._known(options["go_on"])
        others = [_other_hand(change) for _ in range(options["processes"] - 1)] if works(change) else []
        change = _work(change, quiet=options["quiet"])
        if any(other.wait() for other in others):
            raise CommandError(f"a process failed; go on with: manage.py change_protocol --go-on {change.pk}")
        change = go_on(change.pk, clock=timezone.now, seconds=A_TURN)
        if not options["quiet"]:
            self.stdout.write("\n".join(_summary(change)))

    def _begun(self, options: dict[str, Any]) -> ProtocolChange:
        clinic = Clinic.objects.filter(slug=options["clinic"] or "").first()
        if clinic is None:
            known = ", ".join(Clinic.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"name one clinic with --clinic; known: {known}")
        by = Staff.objects.filter(username=options["by"] or "").first()
        if by is None or not may(by, "foresee_protocol", clinic.pk):
            raise CommandError(f"--by names nobody who may ask for this at {clinic}; give a nurse or a prescriber")
        same = ProtocolChange.objects.filter(
            clinic=clinic, protocol_key=options["to"] or "", finished_at=None, cancelled_at=None
        )
        if (known_already := same.first()) is not None:
            return known_already
        try:
            return begin_change(
                clinic=clinic, protocol_key=options["to"] or "", reason=options["reason"], by=by, now=timezone.now()
            )
        except InputError as error:
            raise CommandError(error.message) from error

    def _known(self, number: int) -> ProtocolChange:
        change = ProtocolChange.objects.select_related("clinic").filter(pk=number).first()
        if change is None:
            raise CommandError(f"there is no change of protocol number {number}")
        return change


def _work(change: ProtocolChange, *, quiet: bool) -> ProtocolChange:
    """Until nothing is left to take. The bar counts what all processes have done."""
    with tqdm(total=change.patients, initial=_done(change), unit=" patients", disable=quiet) as bar:
        while works(change):
            before = _done(change)
            change = go_on(change.pk, clock=timezone.now, seconds=A_TURN / 5)
            bar.update(_done(change) - bar.n)
            if works(change) and _done(change) == before:
                # Another process has the last part in hand.
                break
    return change


def _done(change: ProtocolChange) -> int:
    if change.confirmed_at:
        return change.rows.exclude(state=RowState.FORESEEN).count()
    return sum(change.chunks.exclude(foreseen_at=None).values_list("patients", flat=True))


def _other_hand(change: ProtocolChange) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable,
        str(settings.BASE_DIR / "manage.py"),
        "change_protocol",
        "--go-on",
        str(change.pk),
        "--quiet",
    ]
    return subprocess.Popen(command)  # this very program, with a number of our own


def _summary(change: ProtocolChange) -> list[str]:
    counts, title = counts_of(change), PROTOCOLS[change.protocol_key].title
    lines = [f"Change {change.pk}: {change.clinic} to {title}, {change.patients} patients"]
    lines += [f"{counts[f'kind:{kind}']:>8}  {kind.label}" for kind in Kind]
    if change.finished_at:
        refused = change.rows.filter(state=RowState.REFUSED).count()
        return [*lines, f"Carried out; {refused} refused, see the page"]
    if change.foreseen_at and not change.confirmed_at and change.open:
        return [*lines, "Nothing is changed yet: a prescriber of the clinic confirms it on the page"]
    return lines
