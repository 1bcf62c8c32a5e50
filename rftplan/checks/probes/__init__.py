"""What rules look for in rows, one module a question. Each sees rows once and remembers little."""
