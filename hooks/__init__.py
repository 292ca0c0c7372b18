"""The CDS Hooks services of Bone Health CDS, one declaration a file, found by entry point."""
