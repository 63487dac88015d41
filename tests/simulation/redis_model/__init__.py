"""A small Redis: the commands of keyturn's scripts, in one process that can lose its data.

``test_redis_model.py`` compares it with a real Redis, command by command and script by script.
"""
