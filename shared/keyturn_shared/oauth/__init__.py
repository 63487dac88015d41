"""An authorization server's endpoints and the checks behind them, for both services.

This package is independent of where realms and clients are stored: see ``ports``.
"""
