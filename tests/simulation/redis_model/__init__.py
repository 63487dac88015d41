"""A small Redis: the commands that keyturn's scripts use, in one process that can lose what it knew.

``test_redis_model.py`` holds it against a real Redis, command by command and script by script.
"""
