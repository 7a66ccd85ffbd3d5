"""How far the named outputs of two networks are apart: tensors of any rank and dtype, pooled over requests."""
