"""The same endpoint, protected by different libraries: each file has `make_app`."""
