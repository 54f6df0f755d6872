"""What a protocol makes of a treatment's history. Plain Python: no framework, no clock, no I/O."""
