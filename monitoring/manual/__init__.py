"""The protocols in words, and a box to try them: all of it rendered from the rules, so that it cannot lie."""
