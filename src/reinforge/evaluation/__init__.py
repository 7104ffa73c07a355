"""The judge: utility, fidelity, privacy and fairness of synthetic rows."""
