"""Many containers at once while events are lost, doubled and reordered. Not part of `make test`."""
