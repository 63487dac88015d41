"""What the guards refuse before anything is connected to."""
