"""What the documentation site has beside the pages: keys, rooms, formulas, and a front door."""
