"""What is known of a format, whatever model is in it."""

CODE_FORMATS = frozenset({"pickle", "joblib"})
"""Loading one runs what is in it."""

LANGUAGES = {
    "catboost-cbm": ("C", "C++", "Java", "Python", "R"),
    "lightgbm-text": ("C", "C++", "Python", "R"),
    "onnx": ("C", "C++", "C#", "Java", "JavaScript", "Python"),
    "xgboost-json": ("C", "Java", "Python", "R"),
    "xgboost-ubj": ("C", "Java", "Python", "R"),
}
"""Languages for which the library that reads the format is published by those who make it."""


def find_languages(format: str) -> tuple[str, ...]:
    """Those that can read a format; Python alone for what pickles Python's own objects."""
    return LANGUAGES.get(format, ("Python",))
