"""Papers about one patient, set by typst: everything goes in as JSON, so no text can become a command of it."""
