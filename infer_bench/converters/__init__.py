"""From a trained model to an ONNX file that answers the same, or a refusal."""
