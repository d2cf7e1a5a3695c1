"""chainrule beside an older chainrule, row by row of the tables: ``python -m benches.against COMMIT``."""
