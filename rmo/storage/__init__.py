"""What is kept: tables, moments and decimals that come back as they went in, and a module of queries per group of tables."""
