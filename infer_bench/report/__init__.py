"""The report: frozen dataclasses, a file a command, and their JSON. What is saved, rendered and judged."""
