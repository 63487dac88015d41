"""HTTP clients of several languages with their default settings.

Each program acts like an administrator's script: it gets a token with its secret, creates a client,
regenerates that client's secret and reads it back, and gets another token, reusing connections as its library
does by default. It prints one JSON object: the status of each answer, and whether the secret it read is the
regenerated one.
"""
