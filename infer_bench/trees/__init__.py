"""The ensemble form that every tree library is read into, its evaluator and the rows that probe it."""
