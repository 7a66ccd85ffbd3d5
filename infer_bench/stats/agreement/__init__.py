"""How far two predictions are apart: exact, order-free and mergeable over batches of rows."""
