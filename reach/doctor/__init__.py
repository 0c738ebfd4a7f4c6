"""Examines the account that a stack is deployed to, and says of each thing: ok, wrong, or could not check.

Three steps, each in a package or module of its own:

- `gathering` asks AWS. Every call is one of `reads`, so their actions are all the permissions that a doctor needs
  (reach.md "What doctor reads"). What AWS does not answer is a fact too: `NotAsked`, with the permission it lacks.
- `checks` judge. They are pure functions of what was gathered, one for each thing that can be wrong. One that needs a
  fact which is not known ends as "could not check": "not there" and "could not ask" never look alike.
- `report` prints.

Nothing is changed, but by the canary, which is asked for, starts one container and always stops it.
"""
