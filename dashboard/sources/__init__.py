"""Data sources and the queries on them: one declaration, one parser of queries, one compiler to SQL."""
