"""Decides why a task stopped or a call failed, and what to do next: pure functions over tables of ECS's own texts.

`diagnose` reads a stopped or stopping task, `diagnose_call` an exception of an AWS call, `diagnose_run_failure` one
member of RunTask's `failures`. If no row matches a text, the cause is `unknown`. ECS's own words are always kept.
"""

from core.diagnosis.calls import diagnose_call, diagnose_run_failure
from core.diagnosis.row import Actor, Diagnosis, Row
from core.diagnosis.stops import diagnose

__all__ = ["Actor", "Diagnosis", "Row", "diagnose", "diagnose_call", "diagnose_run_failure"]
