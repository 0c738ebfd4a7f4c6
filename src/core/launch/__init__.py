"""From a start request to RegisterTaskDefinition and RunTask: pure documents."""
