"""Figures of renderings (`images`) and of surfaces (`surfaces`, `dtu`)."""
