"""Start, follow and cancel work on a Dask cluster."""
