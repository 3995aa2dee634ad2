"""Reports: saved and ready-made queries, and their results as every page, file and mail shows them."""
