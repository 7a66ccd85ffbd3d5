"""How a request's record becomes what an engine eats: a DataFrame or a preallocated row."""
