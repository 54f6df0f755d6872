"""What a patient, or whoever helps them, sees: pages behind a link and a code, without sign-in."""
