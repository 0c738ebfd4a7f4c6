"""What no text of a request may hold."""


def flaw_of(text: str) -> str | None:
    """What is wrong with it, to go on after its name; None when nothing is."""
    if "\0" in text:
        return "must not contain a NUL character: no process can receive one"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "must be valid Unicode: half a surrogate pair has no bytes in UTF-8"
    return None
