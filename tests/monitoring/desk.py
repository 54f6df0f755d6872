"""One person at the pages of acts: looks at what would change, and confirms just that."""

import html
import re
from zoneinfo import ZoneInfo

from django.urls import reverse

BERLIN = ZoneInfo("Europe/Berlin")


class Desk:
    def __init__(self, client, staff):
        self.client, self.staff = client, staff

    def address(self, treatment, name):
        self.client.force_login(self.staff)
        return reverse("act", args=[treatment.patient_id, name])

    def open(self, treatment, name, **asked):
        return self.client.get(self.address(treatment, name), asked)

    def look(self, treatment, name, **typed):
        return self.client.post(self.address(treatment, name), typed)

    def do(self, treatment, name, **typed):
        page = self.look(treatment, name, **typed)
        word = seen(page)
        assert word, words(page)
        done = self.look(treatment, name, confirm=word, **typed)
        assert done.status_code == 302, words(done)
        treatment.refresh_from_db()
        return page

    def said(self, treatment, name, **typed):
        return words(self.look(treatment, name, **typed))


def seen(page):
    found = re.search(r'name="confirm" value="([0-9a-f]+)"', page.content.decode())
    return found and found[1]


def words(page):
    text = re.sub(r"<(script|style|head).*?</\1>", "", page.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def on(moment):
    local = moment.astimezone(BERLIN)
    return {"on": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}
