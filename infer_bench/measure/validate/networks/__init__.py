"""Networks fed by tensors: do two of them give the same for the same requests, output by output."""
