"""From a trained model to an ONNX file that predicts the same, or a refusal."""
