"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from clozatrack.starting import refuse_wrong_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clozatrack.settings")

application = get_wsgi_application()
refuse_wrong_database()
