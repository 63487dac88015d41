"""The processes of compose.yaml under load, while each is restarted, killed and upgraded."""
