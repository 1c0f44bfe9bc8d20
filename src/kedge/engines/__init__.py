"""Where steps run: processes on this machine."""
