"""What is known: values without decisions."""
