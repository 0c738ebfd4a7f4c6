"""The Lambda functions, one module each (contract.md 4)."""
