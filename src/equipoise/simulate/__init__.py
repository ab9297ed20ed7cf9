"""Towards simulated trials: random streams, screening by the protocol's own criteria, the calendar of visits."""
