"""Ways in for a laboratory's results. Each ends in record_result."""
