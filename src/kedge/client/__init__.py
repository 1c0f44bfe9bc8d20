"""The SDK that user code imports; `kedge` re-exports it. It speaks HTTP to the web process, wherever that runs."""
