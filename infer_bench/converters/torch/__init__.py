"""PyTorch's exported programs to ONNX."""
