"""The Open Inference Protocol, version 2: `POST /v2/models/NAME/infer`, with tensors as JSON or as bytes."""
