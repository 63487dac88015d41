"""Texts of others on a terminal."""


def printable(text: str) -> str:
    """Return a line with the escape of each character that is not printable. In the name of a client, it
    could erase what is above, turn text around or send the terminal a command."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
