"""`quantize`: smaller forms of a network, each judged before one is written."""
