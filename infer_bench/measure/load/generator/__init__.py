"""Sends requests over connections, and records when they were due, sent and answered."""
