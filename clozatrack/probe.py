"""python -m clozatrack.probe: whether the web server of this machine answers and reaches its database.

For the health check of its container. What else ails (a silent sweep) is /health/'s to say and not the web server's
fault: taking the pages away would not mend it.
"""

import http.client
import json
import os
import sys

from clozatrack.refusals import NO_DATABASE

PORT, LONGEST = 8000, 10


def main() -> None:
    """Status 0 when it answers, else 1 with what is wrong."""
    host = os.environ.get("CLOZATRACK_HOSTS", "localhost").split(",")[0]
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
        connection.request("GET", "/health/", headers={"Host": host})
        answer = connection.getresponse()
        found = json.loads(answer.read())["ailments"] if answer.status in (200, 503) else [f"status {answer.status}"]
    except (OSError, http.client.HTTPException, ValueError) as error:
        sys.exit(f"the web server does not answer: {error}")
    if answer.status not in (200, 503) or NO_DATABASE in found:
        sys.exit("; ".join(found))


if __name__ == "__main__":
    main()
