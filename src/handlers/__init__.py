"""The Lambda functions, one module each (contract, section 4)."""
