"""EdgeGuard: a guard for the edge that sees, hears, decides, proves and tells."""

__version__ = "0.1.0"
