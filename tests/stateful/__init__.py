"""Lives of two containers that hypothesis draws and, when one breaks a rule, shortens.

The real functions run on the fakes of `tests.fakes`. Between any two of their calls another invocation may run, and any
call may fail, take effect without an answer, or be an invocation's last (`interrupted`). The rules are those of the
other explorations: `tests.exploration.writes` at each write, `tests.exploration.ends` at rest.
"""
