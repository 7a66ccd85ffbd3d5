"""A command's run: open the outputs, measure, save, render, exit."""
