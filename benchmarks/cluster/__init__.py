"""A test cluster in network namespaces: nginx, three nodes, PostgreSQL and Redis, each a host."""
