"""Which model version answers on which endpoint: deploy and roll back."""
