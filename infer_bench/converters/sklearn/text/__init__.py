"""Vectorizers of text: case, accents and words as Python tells them, written with strings of ONNX."""
