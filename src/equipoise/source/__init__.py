"""What people write, read exactly: YAML 1.2 with line numbers, paths, digests, CEL expressions."""
