"""Requests sent to an endpoint at times that are fixed beforehand, and what came of each."""
