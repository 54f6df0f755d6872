"""What it costs: one command each, a table, and a ratio measured in the same run."""
