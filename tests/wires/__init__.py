"""Real local servers for each wire, for any test that needs one: `http.py`, and the mail server in `smtp.py`."""
