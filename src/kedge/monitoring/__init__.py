"""Windows of the inference log judged against a reference, late labels or their own past; alerts that start pipelines."""
