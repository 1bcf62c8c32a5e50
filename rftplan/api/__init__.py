"""The way to a fine-tuning service: a port in our words, one adapter, profiles as data."""
