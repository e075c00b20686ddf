"""Models: fields, the renderer, and the schedules that belong to them."""
