"""Low results through the REST API, each under an idempotency key that is the same at each try.

python -m tests.faults.load_api LOG TREATMENT_ID...
"""

import http.client
import json
import os
import sys

from tests.faults.load import DRAWN_AT, main

PORT = int(os.environ["CLOZATRACK_LOAD_API"])


def through_the_api(number):
    body = {"source": "load", "accession": f"L{number}", "version": 1, "status": "final", "drawn_at": DRAWN_AT}
    headers = {"Authorization": f"Bearer {os.environ['CLOZATRACK_LOAD_TOKEN']}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request(
            "POST",
            f"/api/v1/treatments/{number}/results/",
            json.dumps(body | {"anc": "420", "unit": "/uL"}),
            headers | {"Idempotency-Key": f"load-{number}"},
        )
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if answer.status in (200, 201):
        return json.loads(said)["result"]["id"]
    if answer.status < 500:
        sys.exit(f"L{number} was refused: {answer.status} {said.decode()}")
    return None


if __name__ == "__main__":
    main(through_the_api)
