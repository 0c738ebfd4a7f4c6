"""Every AWS call of every function of the deployed stack fails in turn, in every way a call can fail.

A proxy stands between the functions and the local cloud (`proxy`). Calm lives show which calls there are (`matrix`), so
that none is left out; then each call of them fails in each way (`ways`), in one container's life, many at a time.
"""
