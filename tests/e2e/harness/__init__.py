"""What the end-to-end tests are made of: programs, namespaces, SIP scenarios and media endpoints."""
