"""``keyturn doctor``: checks of a running installation that change nothing."""
