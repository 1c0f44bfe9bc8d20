"""Load models, batch requests, speak the inference protocols, log what was asked and answered."""
