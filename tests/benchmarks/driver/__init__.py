"""What ./run bench is made of: programs, rounds, tables, sections."""
