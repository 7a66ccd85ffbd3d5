"""Smaller forms of an ONNX network: float16 and int8, made by ONNX Runtime's own tools."""
