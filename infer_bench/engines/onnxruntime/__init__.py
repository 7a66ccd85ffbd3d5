"""ONNX Runtime: the engine, and how its inputs, outputs and labels are read."""
