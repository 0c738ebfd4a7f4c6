"""Random lives of one container under lost answers, throttling, deaths and many workers at once, by seed.

The control plane is the real one (`wired`), each invocation in a thread of its own. The world around it is simulated:
ECS (`ecs`, `tasks`), the table, the queue and the Parameter Store (`stores`), a backend that starts, repeats, stops and
starts again (`backend`), schedules, events and the prober (`platform`). Exactly one thread runs at a time, and at every
call to the world the baton goes to whoever is next in virtual time (`scheduler`). All chance comes from the seed.

What must hold is in `rules`. A life that breaks a rule is lived again with its trace: `--seed=… --life=…`.
"""
