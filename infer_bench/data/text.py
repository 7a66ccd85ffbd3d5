"""What a piece of text in a data file stands for."""


def is_number(text: str) -> bool:
    """Whether `text` reads as a number, `nan` and `inf` included."""
    try:
        float(text)
    except ValueError:
        return False
    return True
