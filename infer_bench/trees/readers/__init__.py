"""From a library's own file or object to the ensemble form: a module a library, a folder for ONNX."""
