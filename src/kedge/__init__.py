"""Kedge: an open MLOps platform whose heart is drift monitoring."""
