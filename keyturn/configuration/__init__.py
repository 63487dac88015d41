"""``keyturn config``: the settings of a program, without starting it."""
