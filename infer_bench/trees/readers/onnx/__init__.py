"""From the nodes of an ONNX graph to the ensemble form, whoever wrote them."""
