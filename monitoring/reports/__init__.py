"""Aggregates over stored rows: no names, no rules of their own, and the same answer to the same question for ever."""
