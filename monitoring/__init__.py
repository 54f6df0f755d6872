"""What clozapine requires of the people who take it, and of those who care for them."""
