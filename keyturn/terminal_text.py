"""Texts on a terminal: those of others, and numbers of things."""


def printable(text: str) -> str:
    """Return a line with the escape of each character that is not printable. In the name of a client, it
    could erase what is above, turn text around or send the terminal a command."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 realm`` or ``2,000 realms``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
