"""Every interleaving of a small scene, to a stated depth: the real functions on a world that can be put back.

An invocation stands still at each of its calls. It is a pure function of what began it and of the answers so far, so
it needs no thread: it is run again from its beginning with the answers of its log, up to the next call (`invocation`).
A state of the world is a value: the clock, the items, the tasks, the messages under way, and each running invocation
as its log (`state`). A step is one call with one outcome, one delivery, one change of a task, one request, one jump of
the clock (`steps`). The search takes every step of every state, breadth first, and each state once (`search`).

What must hold at a write is in `tests.exploration.writes`, at a call in `judge`. From every state the world also
goes on in calm, without further faults, once with and once without the events still to come, and is judged at rest
(`rest`). Scenes and their limits are in `scenes`, removed safeguards in `mutations`.
"""
