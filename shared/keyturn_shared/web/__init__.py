"""HTTP parts that both services serve alike."""
