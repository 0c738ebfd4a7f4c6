"""What a fact proves, and what a record still needs: pure decisions."""
