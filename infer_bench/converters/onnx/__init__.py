"""The ONNX writer: graph, tree sums, links, labels, file."""
