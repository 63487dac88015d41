"""Differential HTTP: octet streams on which HTTP/1.1 servers disagree, sent to keyturn's and to others.

Each stream has the reading that the RFCs require: the number of messages, with their methods, targets and
bodies, and whether the connection continues. A server of keyturn reads exactly that, or refuses and closes.
The references (h11, hyper and nginx) are tested as well; ``departures.json`` records where one of them reads
something else.
"""
