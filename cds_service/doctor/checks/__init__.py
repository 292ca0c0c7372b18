"""The checks: small functions over what was fetched. Nothing here opens a socket or a file."""
