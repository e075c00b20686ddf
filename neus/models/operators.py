"""Which operators a method runs on."""

from __future__ import annotations

from types import ModuleType

import torch

from neus.config import MethodConfig
from neus.errors import InputError
from neus.fields import unfused_colours, unfused_density, unfused_field
from neus.ops import backend_for, reference


def operators_for(method: MethodConfig, device: torch.device) -> ModuleType:
    """The backend that the method names, or plain torch where its distance field needs that.

    Raises:
        InputError: ``backend: tcnn`` with a field that it cannot do, or without its packages.
    """
    options = unfused_field(method.model)
    if options and method.backend == "tcnn":
        raise InputError(f"backend tcnn cannot do {', '.join(options)}: use backend auto")
    return reference if options else backend_for(device, method.backend)


def unfused_notice(method: MethodConfig) -> str | None:
    """One sentence about what makes a method slow, if anything does."""
    model = method.model
    options = unfused_field(model) + unfused_density(model) + unfused_colours(model)
    if not options:
        return None
    return f"{', '.join(options)}: not fused, computed by plain torch, which takes longer"
