"""``keyturn migrate compare``: the tokens of both sides, client by client, and a report to sign."""
