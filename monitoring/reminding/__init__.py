"""Reminding patients and carers: what of, in which words, when, and whether it is still true at the last moment."""
