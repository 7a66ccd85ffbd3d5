"""The Open Inference Protocol, version 2: tensors in JSON or in bytes behind it, as Triton and KServe take them.

Source: the Open Inference Protocol's REST specification, and Triton's binary tensor data extension.
"""
