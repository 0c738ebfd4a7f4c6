"""The rows of the diagnosis, by subject. The texts are ECS's own; `core.diagnosis.order` decides their order."""
