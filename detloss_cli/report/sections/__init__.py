"""One part of a screen a file; each takes facts and yields lines."""
