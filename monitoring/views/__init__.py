"""The pages of clinic work: each view finds through patients_of, checks, acts and answers."""
