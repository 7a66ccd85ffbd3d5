"""A report as one HTML file: what a page shows (a module a command), and the template that shows it."""
