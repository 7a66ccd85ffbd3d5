"""Parts of a comparison: merged, and made by many machines."""
