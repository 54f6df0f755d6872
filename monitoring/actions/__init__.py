"""What changes about a treatment: verbs, each in one transaction, with its audit row."""
