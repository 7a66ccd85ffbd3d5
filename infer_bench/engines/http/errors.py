"""What a service says of an error."""

import msgspec


def read_sentence(content: str) -> str:
    """What a service says of an error: the `error`, `detail` or `message` of its JSON, or all of the text."""
    try:
        document = msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError):
        return content
    by_name = document if isinstance(document, dict) else {}
    sentences = [by_name[name] for name in ("error", "detail", "message") if isinstance(by_name.get(name), str)]
    return sentences[0] if sentences else content
