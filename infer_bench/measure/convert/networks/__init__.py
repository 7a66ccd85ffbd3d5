"""Conversions of networks that are fed by tensors."""
