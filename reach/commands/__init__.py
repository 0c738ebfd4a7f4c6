"""The commands of `reach`, a module each: its options, what it runs, what it prints."""
