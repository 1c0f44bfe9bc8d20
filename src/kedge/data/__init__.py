"""Dataset versions: deterministic Parquet, profiles, differences, safe paths."""
