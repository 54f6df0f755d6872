"""Getting a message to a person. Knows nothing clinical."""
